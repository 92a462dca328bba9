"""Weight files that are damaged, of another network, hostile, or replaced during a run."""

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import fault
import make
import onnx
import pytest
from fault import Fault
from waiting import until

from training.inference.weights import METADATA_KEY, WEIGHTS_DIR


class Hostile:
    """Unpickling it would leave a file behind."""

    def __reduce__(self):
        return os.system, ("touch was-run",)


def damaged(damage, *flags):
    """The committed `deep`, copied and then damaged by damage(bytes)."""

    def build(folder: Path) -> list:
        make.moving_clip(folder / "in.mp4")
        (folder / "deep.onnx").write_bytes(damage((WEIGHTS_DIR / "deep.onnx").read_bytes()))
        return ["--video", "in.mp4", "-o", "out.mp4", "--locate", "segment",
                "--model", "deep.onnx", *flags]  # fmt: skip

    return build


def flipped(place: float):
    """Flip one bit of a file, at a fraction of its length."""

    def damage(data: bytes) -> bytes:
        found = bytearray(data)
        found[int(place * (len(data) - 1))] ^= 4
        return bytes(found)

    return damage


def beside_manifest(damage):
    """As `damaged`, with the manifest beside the file."""

    def build(folder: Path) -> list:
        flags = damaged(damage)(folder)
        shutil.copy(WEIGHTS_DIR / "manifest.json", folder)
        return flags

    return build


def foreign(name: str):
    """Another model's file under this name."""

    def build(folder: Path) -> list:
        flags = damaged(bytes)(folder)
        shutil.copy(WEIGHTS_DIR / f"{name}.onnx", folder / "deep.onnx")
        return flags

    return build


def mislabelled(folder: Path) -> list:
    """Another model's graph that says to be this one."""
    flags = damaged(bytes)(folder)
    graph, own = (onnx.load(WEIGHTS_DIR / f"{name}.onnx") for name in ("photo", "deep"))
    del graph.metadata_props[:]
    graph.metadata_props.extend(own.metadata_props)
    onnx.save(graph, folder / "deep.onnx")
    return flags


def bomb(data: bytes) -> bytes:
    """A zip file of a hundred million zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(100_000_000))
    return buffer.getvalue()


def described(text: str):
    """Give the file this text in place of its metadata."""

    def damage(data: bytes) -> bytes:
        model = onnx.load_from_string(data)
        del model.metadata_props[:]
        model.metadata_props.add(key=METADATA_KEY, value=text)
        return model.SerializeToString()

    return damage


def fitted(text: str):
    """A copy of `photo` beside numbers that were fitted to it, as this text."""

    def build(folder: Path) -> list:
        make.clip(folder / "in.mp4")
        shutil.copy(WEIGHTS_DIR / "photo.onnx", folder)
        (folder / "photo+parser.fusion.json").write_text(text)
        return ["--video", "in.mp4", "-o", "out.mp4", "--model", "photo.onnx", "--no-pose"]

    return build


def model(name: str):
    """A model that cannot classify."""

    def build(folder: Path) -> list:
        make.clip(folder / "in.mp4")
        return ["--video", "in.mp4", "-o", "out.mp4", "--model", name]

    return build


NUMBERS = "photo+parser.fusion.json is damaged"
FAULTS = [
    *(Fault(f"truncated at {part:.0%}", damaged(lambda d, part=part: d[: int(part * len(d))]), 6,
            "deep") for part in (0.0, 0.001, 0.5, 0.99)),
    Fault("a bit flipped", beside_manifest(flipped(0.7)), 6, "wrong checksum"),
    Fault("a bit flipped at the start", damaged(flipped(0.000001)), 6, "damaged"),
    Fault("of another shape", mislabelled, 6, "deep"),
    Fault("another model under this name", foreign("photo"), words="photo, "),
    Fault("of another task", foreign("yolo"), 6, "deep"),
    Fault("a pickle", damaged(lambda _: pickle.dumps(Hostile())), 6, "damaged"),
    Fault("a zip bomb", damaged(bomb), 6, "damaged"),
    Fault("a huge field", damaged(lambda d: b"\x3a" + b"\xff" * 8 + d), 6, "damaged"),
    Fault("metadata that is no JSON", damaged(described("{")), 6, "metadata is damaged"),
    Fault("deep metadata", damaged(described("[" * 100_000)), 6, "metadata is damaged"),
    Fault("without metadata", damaged(lambda d: d[: d.rindex(b"garment") - 6]), 6, "damaged"),
    Fault("metadata of a wrong type", damaged(described('{"name": 1}')), 6,
          "metadata is damaged"),
    Fault("a model for another use", model("yolo"), 6, "--locate"),
    Fault("no such file", model("none.onnx"), 6, "none"),
    Fault("fitted numbers that are no JSON", fitted("{"), 6, NUMBERS),
    Fault("fitted numbers without checksums", fitted("{}"), 6, NUMBERS),
    Fault("fitted text", fitted('{"sha256": {}, "fusion": {"lying": "much"}}'), 6, NUMBERS),
    Fault("numbers fitted to other weights", fitted('{"sha256": {}, "fusion": {}}'),
          words="was fitted to other weights"),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_fault(case, tmp_path):
    fault.check(case, tmp_path)
    assert not (tmp_path / "was-run").exists()


def test_file_replaced_while_running(tmp_path):
    """A run keeps the weights that it loaded."""
    video = make.moving_clip(tmp_path / "long.mp4", repeats=5)
    flags = damaged(bytes)(tmp_path)
    flags[flags.index("in.mp4")] = str(video)
    app = make.start(*flags, cwd=tmp_path)
    until((tmp_path / "out.mp4").exists)
    (tmp_path / "deep.onnx").write_bytes(b"")
    _, errors = app.communicate(timeout=fault.CAP)
    assert app.returncode == 0, errors
    assert fault.frames_of(tmp_path / "out.mp4") == 200


def test_engine_that_is_broken(tmp_path):
    make.moving_clip(tmp_path / "in.mp4")
    (tmp_path / "hidden" / "torch").mkdir(parents=True)
    (tmp_path / "hidden" / "torch" / "__init__.py").write_text("raise ImportError('no torch')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "hidden")}
    done = make.app("--video", "in.mp4", "-o", "out.mp4", "--engine", "torch", "--model", "deep",
                    cwd=tmp_path, env=environment)  # fmt: skip
    assert done.returncode == 7 and "Traceback" not in done.stderr, done.stderr
    assert "torch" in done.stderr and "pip install" in done.stderr
