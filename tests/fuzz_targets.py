"""What user data is parsed by, as functions of bytes: each answers or raises a GarmentError."""

import argparse
import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from preprocessing.datasets.attribute_table import read_label_map, read_table
from preprocessing.datasets.deepfashion_benchmark import read_benchmark
from preprocessing.datasets.samples_and_splits import read_csv
from preprocessing.datasets.yolo_layout import read_boxes, read_layout
from preprocessing.errors import GarmentError
from realtime.flags import read_settings
from realtime.page.guard import Credentials, Guard, Role
from realtime.page.launch import read_address
from realtime.sources.cameras import read_url
from training.inference.weights import read_info

_kept = tempfile.TemporaryDirectory(prefix="fuzz-")  # removed when Python ends
FOLDER = Path(_kept.name)


def _written(name: str, data: bytes) -> Path:
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def attribute_table(data: bytes) -> None:
    read_table(_written("table.csv", data))


def label_map(data: bytes) -> None:
    read_label_map(_written("map.json", data))


def samples(data: bytes) -> None:
    read_csv(_written("samples.csv", data))


def deepfashion(data: bytes) -> None:
    """Four lists, apart by a line of dashes; what is missing is empty."""
    lists = (data + b"\n----\n" * 4).split(b"\n----\n")
    names = ("list_category_cloth", "list_category_img", "list_bbox", "list_eval_partition")
    for name, text in zip(names, lists, strict=False):
        folder = "Eval" if name == "list_eval_partition" else "Anno"
        _written(f"deepfashion/{folder}/{name}.txt", text)
    read_benchmark(FOLDER / "deepfashion")


def deepfashion_fine(data: bytes) -> None:
    lists = (data + b"\n----\n" * 3).split(b"\n----\n")
    for name, text in zip(("train", "train_attr", "train_bbox"), lists, strict=False):
        _written(f"fine/Anno_fine/{name}.txt", text)
    read_benchmark(FOLDER / "fine")


def yolo_labels(data: bytes) -> None:
    _written("yolo/labels/a.txt", data)
    read_boxes(FOLDER / "yolo" / "images" / "a.jpg", classes=10)


def yolo_layout(data: bytes) -> None:
    read_layout(_written("data.yaml", data))


def weights(data: bytes) -> None:
    read_info(_written("network.onnx", data))


def addresses(data: bytes) -> None:
    text = data.decode("latin-1")
    given = Credentials(token=text, cookie=text, caller=text)
    guard = Guard({Role.ADMIN: "secret"}, local=False)
    guard.refusal({"host": text, "origin": text}, given, needed=Role.ADMIN)
    for read in (read_address, lambda t: read_url(f"fake://{t}")):
        with contextlib.suppress(GarmentError):
            read(text)


def flags(data: bytes) -> None:
    words = data.decode("utf-8", errors="replace").split("\n")
    with (
        contextlib.suppress(SystemExit, argparse.ArgumentError),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        read_settings(words)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        attribute_table, label_map, samples, deepfashion, deepfashion_fine, yolo_labels,
        yolo_layout, weights, addresses, flags,
    )
}  # fmt: skip


def parse(target: str, data: bytes) -> None:
    """Parse bytes; only what is not a GarmentError comes out."""
    with contextlib.suppress(GarmentError):
        TARGETS[target](data)
