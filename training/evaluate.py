"""Judges a trained network on the test set: `python -m training.evaluate --model deep`."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax
from torch import nn

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from training import data, report, weights
from training.checkpoint import load_network, load_run
from training.metrics import Scores, fit_temperature, score
from training.photos import photo_split
from training.task import predict


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's answers on the test set.

    Attributes:
        images: uint8 (N, H, W); labels: int64 (N,); logits: float32 (N, classes).
        temperature: divisor of the logits, fitted on the validation split.
    """

    name: str
    classes: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    temperature: float
    scores: Scores


def evaluate(
    model: str | Path,
    *,
    data_dir: str | None = None,
    limit: int | None = None,
    photos: Path | None = None,
) -> Evaluation:
    """Score a committed model's name, a weight file or a run folder on the test set, or on photos.

    Committed weights carry their temperature; that of a run is fitted on the validation split.

    Raises:
        WeightsError, UsageError, DataError: see `locate`, `load_run`, `fashion_mnist.load` and
            `photo_split`.
    """
    network, name, classes, temperature = _load(model, data_dir)
    test = photo_split(photos) if photos else data.test_split(data_dir, limit=limit)
    logits, labels = (tensor.numpy() for tensor in predict(network, test.loader()))
    return Evaluation(
        name=name,
        classes=classes,
        images=test.images[:, 0].numpy(),
        labels=labels,
        logits=logits,
        temperature=temperature,
        scores=score(logits, labels, temperature=temperature),
    )


def _load(model: str | Path, data_dir: str | None) -> tuple[nn.Module, str, tuple[str, ...], float]:
    """Network, name, classes and temperature."""
    if Path(model).is_dir():
        network, _, config = load_run(Path(model))
        _, validation = data.training_splits(data_dir)
        logits, labels = predict(network, validation.loader())
        temperature = fit_temperature(logits.numpy(), labels.numpy())
        return network, config["model"], tuple(config["classes"]), temperature
    stem, info = weights.locate(str(model))
    weights.verified(stem.with_suffix(".safetensors"))
    if info.cut != "fashion-mnist":
        raise UsageError(f"{info.name} takes {info.cut!r} crops: it has no Fashion-MNIST accuracy")
    return load_network(stem, info), info.name, info.classes, info.temperature


def write_report(evaluation: Evaluation, folder: Path) -> str:
    """Write report.txt, report.json, confusion.png and mistakes.png; the text of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    text = report.class_table(evaluation.scores, evaluation.classes)
    (folder / "report.txt").write_text(text + "\n")
    write_json(evaluation, folder / "report.json")
    report.plot_confusion(folder / "confusion.png", evaluation.scores, evaluation.classes)
    report.write_mistakes(
        folder / "mistakes.png",
        evaluation.images,
        labels=evaluation.labels,
        probabilities=softmax(evaluation.logits / evaluation.temperature, axis=1),
        classes=evaluation.classes,
    )
    return text


def write_json(evaluation: Evaluation, path: Path) -> None:
    """The single figures, as shares of 0 to 1."""
    values = {"model": evaluation.name, "temperature": round(evaluation.temperature, 4)}
    path.write_text(json.dumps(values | evaluation.scores.summary(), indent=1) + "\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Score a model on the Fashion-MNIST test set, single view, or on real photos.",
    )
    parser.add_argument("--model", required=True, help="committed model, weight file or run folder")
    parser.add_argument("--data-dir", help="folder of the four Fashion-MNIST files")
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="score on real photos instead, in folders t-shirt, pants, dress, outwear, "
        "shirt; balanced accuracy is their mean recall",
    )
    parser.add_argument("--out", type=Path, help="report folder (default out/evaluate-MODEL)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("--limit-test", type=int, metavar="N", help="only the first N test images")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.limit_test is not None and args.limit_test <= 0:
        raise UsageError(f"--limit-test must be above 0, got {args.limit_test}")
    result = evaluate(args.model, data_dir=args.data_dir, limit=args.limit_test, photos=args.photos)
    folder = args.out or Path("out") / f"evaluate-{result.name}"
    print(write_report(result, folder))
    if args.json:
        write_json(result, args.json)
    print(f"wrote {folder}/report.txt, report.json, confusion.png, mistakes.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
