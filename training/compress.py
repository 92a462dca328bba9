"""Makes a smaller or faster weight file: `python -m training.compress --model deep --to int8`.

Half precision, or 8-bit integers by NNCF, calibrated on training images. Accuracy is held against
the original's on the validation part, and a gate refuses what lost too much. The .safetensors file
beside a compressed .onnx holds the numbers it was made from.
"""

import argparse
import logging
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch

from preprocessing.builders.photo_dataset import read
from preprocessing.command import exit_status
from preprocessing.errors import DataError, UsageError, WeightsError
from training.classification.module import readable
from training.common import data_parts
from training.common.checkpoints import load_network, save_network
from training.common.data_parts import Part
from training.common.metrics import Scores, fit_temperature, score
from training.common.photo_parts import PhotoPart
from training.export import first_images, write_onnx
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.profile import Timing, measure

CALIBRATION_IMAGES = 500
KINDS = ("fp16", "int8")


@dataclass(frozen=True, eq=False)
class Version:
    """One version of a network: its file's size, its answers' scores and its speed."""

    name: str
    megabytes: float
    scores: Scores
    temperature: float
    timings: list[Timing]


def compress(
    stem: Path, info: WeightsInfo, target: Path, *, kind: str, calibration: Part, keep: list[str]
) -> None:
    """Write the compressed `target`.onnx and, beside it, the original .safetensors.

    Args:
        keep: regular expressions of nodes that stay in their precision.
    """
    network = load_network(stem, info)
    path = target.with_suffix(".onnx")
    write_onnx(path, network, info, half=kind == "fp16")
    save_network(target, network, info, half=kind == "fp16")
    if kind == "int8":
        _quantise(path, first_images(calibration, count=CALIBRATION_IMAGES).numpy(), keep)


def _quantise(path: Path, images: np.ndarray, keep: list[str]) -> None:
    """Replace an ONNX file by its 8-bit version (post-training, Jacob et al. 2017)."""
    logging.getLogger("nncf").setLevel(logging.ERROR)
    import nncf

    nncf.set_log_level(logging.ERROR)
    model = onnx.load(path)
    name = model.graph.input[0].name
    quantised = nncf.quantize(
        model,
        nncf.Dataset([image[None] for image in images], lambda image: {name: image}),
        subset_size=len(images),
        ignored_scope=nncf.IgnoredScope(patterns=keep) if keep else None,
    )
    path.write_bytes(quantised.SerializeToString())


def judge(name: str, stem: Path, info: WeightsInfo, part: Part, *, threads: int) -> Version:
    """Run a stem's .onnx file over a part and time it.

    The temperature is fitted on this very part, which is the one that calibrates.
    """
    network = OpenVinoNetwork(stem)
    answers = [
        (torch.from_numpy(network(images.numpy())), labels) for images, labels in part.loader()
    ]
    logits, labels = readable(*(torch.cat(column) for column in zip(*answers, strict=True)))
    temperature = fit_temperature(logits, labels)
    return Version(
        name,
        stem.with_suffix(".onnx").stat().st_size / 1e6,
        score(logits, labels, temperature=temperature),
        temperature,
        measure("openvino", stem, threads)[0],
    )


def as_text(versions: list[Version]) -> str:
    """The versions beside each other."""
    lines = [
        f"{'':20s} {'validation':>10s} {'macro-F1':>9s} {'MB':>6s}  ms at batch "
        + " / ".join(str(timing.batch) for timing in versions[0].timings)
    ]
    for version in versions:
        times = " / ".join(f"{timing.median:.2f}" for timing in version.timings)
        lines.append(
            f"{version.name:20s} {version.scores.accuracy:10.2%} {version.scores.macro_f1:9.4f} "
            f"{version.megabytes:6.2f}  {times}"
        )
    return "\n".join(lines)


def open_parts(info: WeightsInfo, source: Path | None, data_dir: str | None) -> tuple[Part, Part]:
    """Training and validation part that fit a network.

    Raises:
        UsageError: it looks at photos, and none are given.
        DataError: the photos have no validation part.
    """
    if info.cut == "fashion-mnist":
        return data_parts.training_splits(data_dir, size=info.size)
    if source is None:
        raise UsageError(f"{info.name} looks at photos: give --data DIR of build_dataset")
    found = read(source, max_bad=0.01)
    training, validation = (
        PhotoPart(found.of(split), info.classes, info.size) for split in ("training", "validation")
    )
    if not len(training) or not len(validation):
        raise DataError(f"{source} needs a training and a validation part: see build_dataset")
    return training, validation


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.compress",
        description="Compress a model and publish it as NAME-KIND if it keeps its accuracy.",
    )
    add = parser.add_argument
    add("--model", required=True, help="committed model or weight file")
    add("--to", required=True, choices=KINDS, help="half precision, or 8-bit integers")
    add("--max-drop", type=float, default=0.5, metavar="POINTS", help="of validation accuracy that "
        "may be lost, in percentage points (default 0.5)")  # fmt: skip
    add("--keep", nargs="*", default=[], metavar="REGEX", help="nodes that stay in their precision")
    add("--data", type=Path, metavar="DIR", help="photos that build_dataset indexed")
    add("--data-dir", metavar="DIR", help="folder of the four Fashion-MNIST files")
    add("--threads", type=int, default=1, help="of the timings (default 1)")
    add("--out", type=Path, default=weights.WEIGHTS_DIR, help="default weights/")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.max_drop < 0 or args.threads < 1:
        raise UsageError("--max-drop must be 0 or more and --threads at least 1")
    stem, info = weights.locate(args.model)
    training, validation = open_parts(info, args.data, args.data_dir)
    new = replace(info, name=f"{info.name}-{args.to}")
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / new.name
        compress(stem, new, trial, kind=args.to, calibration=training, keep=args.keep)
        before, after = (
            judge(one.name, path, one, validation, threads=args.threads)
            for one, path in ((info, stem), (new, trial))
        )
        print(as_text([before, after]))
        drop = 100 * (before.scores.accuracy - after.scores.accuracy)
        if drop > args.max_drop:
            raise WeightsError(
                f"{new.name} loses {drop:.2f} points of accuracy, more than --max-drop "
                f"{args.max_drop:g}: not published; --keep leaves sensitive layers as they are"
            )
        publish(trial, _with_figures(new, after), args.out, half=args.to == "fp16")
    print(f"wrote {args.out / new.name}.onnx: {drop:+.2f} points lost")
    return 0


def _with_figures(info: WeightsInfo, version: Version) -> WeightsInfo:
    metrics = {"parameters": info.metrics.get("parameters"), "validation": version.scores.summary()}
    return replace(info, temperature=round(version.temperature, 5), metrics=metrics)


def publish(trial: Path, info: WeightsInfo, folder: Path, *, half: bool) -> None:
    """Move a trial's two files to `folder` with their final metadata, and enter them."""
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(trial.with_suffix(".onnx"))
    onnx.helper.set_model_props(model, {METADATA_KEY: info.to_json()})
    (folder / f"{info.name}.onnx").write_bytes(model.SerializeToString())
    save_network(folder / info.name, load_network(trial, info), info, half=half)
    weights.write_manifest(info, folder)


if __name__ == "__main__":
    sys.exit(main())
