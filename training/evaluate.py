"""Judges a trained network: `python -m training.evaluate --model deep`.

On the Fashion-MNIST test set, or with --data on photos: report.md with every figure, report.json,
confusion.png, calibration.png, top_losses.csv, mistakes.png and gradcam.png.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from preprocessing.builders.photo_dataset import read_source
from preprocessing.command import exit_status
from preprocessing.datasets.samples import SPLITS, Sample, refuse_bad
from preprocessing.errors import DataError, UsageError
from preprocessing.images.pictures import picture_paths
from preprocessing.labels import OTHER
from training.classification import data, out_of_distribution
from training.classification.grad_cam import grad_cam
from training.classification.module import predict, readable
from training.classification.photo_cutouts import known_photos, photo_split
from training.common import data_parts, reports
from training.common.checkpoints import load_network, load_run
from training.common.data_parts import UNREADABLE, DataParts, Part
from training.common.metrics import Scores, fit_temperature, score
from training.common.photo_parts import PhotoPart
from training.inference import weights

EXPLAINED = 24  # pictures on the Grad-CAM sheet


@dataclass(frozen=True, eq=False)
class Judged:
    """A network with what its evaluation needs to know.

    Attributes:
        cut: row of NETWORK_INPUTS; temperature: divisor of the logits, fitted on a validation part.
    """

    network: nn.Module
    name: str
    classes: tuple[str, ...]
    cut: str
    size: int
    temperature: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's answers on a part of a data set.

    Attributes:
        kept: int (N,), places in the part of the pictures that could be read.
        labels: int64 (N,); logits: float32 (N, classes).
        measured_on: the part's name, for people.
    """

    judged: Judged
    part: Part
    kept: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    scores: Scores
    measured_on: str


def evaluate(judged: Judged, part: Part, *, measured_on: str, max_bad: float = 0.01) -> Evaluation:
    """Score a network on a part.

    Raises:
        DataError: more than the share `max_bad` of the pictures cannot be read.
    """
    logits, labels = (tensor.numpy() for tensor in predict(judged.network, part.loader()))
    kept = np.flatnonzero(labels != UNREADABLE)
    bad = np.flatnonzero(labels == UNREADABLE)
    first = part.name(int(bad[0])) if len(bad) else ""
    refuse_bad(len(bad), len(labels), max_bad=max_bad, first=first)
    logits, labels = logits[kept], labels[kept]
    scores = score(logits, labels, temperature=judged.temperature)
    return Evaluation(judged, part, kept, labels, logits, scores, measured_on)


def load_judged(model: str, *, data_dir: str | None = None) -> Judged:
    """A committed model's name, a weight file or a run folder.

    Weight files carry their temperature; that of a run is fitted on its validation part.

    Raises:
        WeightsError, UsageError, DataError: see `locate`, `load_run` and `fashion_mnist.load`.
    """
    if Path(model).is_dir():
        return _load_run(Path(model), data_dir=data_dir, limit_test=None)[0]
    stem, info = weights.locate(model)
    weights.verified(stem.with_suffix(".safetensors"))
    network = load_network(stem, info)
    return Judged(network, info.name, info.classes, info.cut, info.size, info.temperature)


def _load_run(
    run: Path, *, data_dir: str | None, limit_test: int | None
) -> tuple[Judged, DataParts]:
    """A run's best network, with the parts that it learnt from and is judged by."""
    network, recipe, config = load_run(run)
    parts = data.run_parts(run, recipe, data_dir=data_dir, limit_test=limit_test)
    temperature = 1.0
    if parts.validation is not None:
        temperature = fit_temperature(*readable(*predict(network, parts.validation.loader())))
    cut = data_parts.CUT[recipe.channels]
    classes = tuple(config["classes"])
    return Judged(network, config["model"], classes, cut, recipe.size, temperature), parts


def photos_of(
    source: Path, judged: Judged, *, split: str | None, classes: str | None
) -> tuple[Part, str]:
    """Photos for a network, with the name of what they are.

    Without `split` it is the test part where there is one, else the validation part, else all.

    Raises:
        DataError: nothing there, or labels that the network does not know.
    """
    cut_out = judged.cut == "fashion-mnist"
    samples = known_photos(source) if cut_out else read_source(source)
    if classes:
        samples = [sample for sample in samples if sample.label in classes.split(",")]
    there = [name for name in ("test", "validation") if any(s.split == name for s in samples)]
    chosen = split or (there[0] if there else None)
    if chosen:
        samples = [sample for sample in samples if sample.split == chosen]
    if not samples:
        raise DataError(f"{source} has no {chosen or ''} pictures of {classes or 'any class'}")
    name = f"{chosen or 'all'} of {source}"
    if cut_out:
        return photo_split(samples), name
    _known(samples, judged)
    return PhotoPart(samples, judged.classes, judged.size), name


def _known(samples: Sequence[Sample], judged: Judged) -> None:
    strange = sorted({sample.label for sample in samples} - set(judged.classes))
    if strange:
        raise DataError(
            f"{judged.name} does not know {', '.join(strange)}: it knows "
            f"{', '.join(judged.classes)}; choose classes with --classes"
        )


def judge_run(run: Path, *, data_dir: str | None, limit: int | None) -> str:
    """Score a run's best checkpoint on its test part, or its validation part where it has none.

    Writes the report into the run's folder and gives its text.
    """
    judged, parts = _load_run(run, data_dir=data_dir, limit_test=limit)
    measured_on = "test" if parts.test else "validation"
    part = parts.test or parts.validation
    return write_report(evaluate(judged, part, measured_on=measured_on, max_bad=1.0), run)


def write_report(evaluation: Evaluation, folder: Path) -> str:
    """Write everything about an evaluation into a folder; the text of its class table."""
    folder.mkdir(parents=True, exist_ok=True)
    judged, scores = evaluation.judged, evaluation.scores
    text = reports.class_table(scores, judged.classes)
    write_json(evaluation, folder / "report.json")
    reports.plot_confusion(folder / "confusion.png", scores, judged.classes)
    reports.plot_calibration(folder / "calibration.png", scores)
    losses = reports.top_losses(
        evaluation.logits / judged.temperature, evaluation.labels, judged.classes
    )
    losses = [replace(row, index=int(evaluation.kept[row.index])) for row in losses]
    reports.write_losses(folder / "top_losses.csv", losses, name=evaluation.part.name)
    wrong = [row for row in losses if row.true != row.predicted]
    reports.write_mistakes(folder / "mistakes.png", wrong, picture=evaluation.part.picture)
    reports.write_grad_cam(
        folder / "gradcam.png",
        wrong[:EXPLAINED],
        picture=evaluation.part.picture,
        explain=lambda image, label: grad_cam(
            judged.network, image, label=judged.classes.index(label)
        ),
    )
    title = f"{judged.name} on {evaluation.measured_on}"
    (folder / "report.md").write_text(reports.as_markdown(title, text, folder))
    return text


def write_apart(evaluation: Evaluation, empty: Path, folder: Path) -> out_of_distribution.Apart:
    """Hold the garments of an evaluation against pictures without any; see `unknown.write_roc`.

    Raises:
        DataError: no such pictures.
        UsageError: the network does not look at photos.
    """
    judged = evaluation.judged
    if judged.cut == "fashion-mnist":
        raise UsageError(f"--empty: {judged.name} looks at garments that were cut out, not photos")
    samples = [Sample(path, judged.classes[0]) for path in picture_paths(empty)]
    if not samples:
        raise DataError(f"no pictures in --empty {empty}")
    part = PhotoPart(samples, judged.classes, judged.size)
    others = evaluate(judged, part, measured_on=str(empty)).logits
    names = np.array(judged.classes)[evaluation.labels]
    garments, rest = (
        out_of_distribution.sureness(logits, judged.classes, temperature=judged.temperature)
        for logits in (evaluation.logits[names != OTHER], others)
    )
    return out_of_distribution.write_roc(folder, garments, rest)


def write_json(evaluation: Evaluation, path: Path) -> None:
    """The single figures, as shares of 0 to 1."""
    judged = evaluation.judged
    values = {
        "model": judged.name,
        "measured_on": evaluation.measured_on,
        "temperature": round(judged.temperature, 5),
        "unreadable": len(evaluation.part) - len(evaluation.kept),
    }
    path.write_text(json.dumps(values | evaluation.scores.summary(), indent=1) + "\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Score a model, single view, on the Fashion-MNIST test set or on photos; a "
        "detector on labelled boxes, a parser on masks.",
    )
    add = parser.add_argument
    add("--model", required=True, help="committed model, weight file or run folder")
    add("--data", type=Path, metavar="DIR|CSV|YAML", help="photos: a folder a class, a CSV "
        "path,label, or what builders.photo_dataset wrote; Fashion-MNIST networks take the labels "
        "t-shirt, pants, longsleeve, dress, outwear, shirt and cut the garments out; a detector "
        "takes a data.yaml, a parser photos/ and masks/")  # fmt: skip
    add("--table", type=Path, metavar="CSV", help="models of attributes: the truth")
    add("--images", type=Path, metavar="DIR", help="models of attributes: the table's pictures")
    add("--label-map", type=Path, metavar="JSON", help="models of attributes: names of the codes")
    add("--catch-all", metavar="last|A=CODE,...", help="models of attributes: report without these "
        "codes as well")  # fmt: skip
    add("--split", choices=SPLITS, help="of --data (default test, else validation, else all)")
    add("--classes", metavar="A,B,...", help="only these classes of --data (default all)")
    add("--empty", type=Path, metavar="DIR", help="pictures without any garment: how often a "
        "detector sees one, how well a classifier tells garments from them")  # fmt: skip
    add("--threshold", type=float, metavar="P", help="detectors: of boxes (default its own)")
    add("--name-by", metavar="MODEL", help="detectors: the classifier that helps to name boxes, or "
        "`detector` for none (default as in the live app)")  # fmt: skip
    add("--max-bad", type=float, default=0.01, help="unreadable share allowed (default 0.01)")
    add("--data-dir", metavar="DIR", help="folder of the four Fashion-MNIST files")
    add("--out", type=Path, help="report folder (default out/evaluate-MODEL)")
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    add("--limit-test", type=int, metavar="N", help="only the first N test images")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.limit_test is not None and args.limit_test <= 0:
        raise UsageError(f"--limit-test must be above 0, got {args.limit_test}")
    task = weights.task_of(args.model)
    if task != "classify":
        print(_judge_other(task, args))
        return 0
    judged = load_judged(args.model, data_dir=args.data_dir)
    if args.data:
        part, measured_on = photos_of(args.data, judged, split=args.split, classes=args.classes)
    elif judged.cut == "fashion-mnist":
        part = data_parts.test_split(args.data_dir, limit=args.limit_test, size=judged.size)
        measured_on = "the Fashion-MNIST test set"
    else:
        raise UsageError(f"{judged.name} looks at photos: give --data DIR or CSV")
    result = evaluate(judged, part, measured_on=measured_on, max_bad=args.max_bad)
    folder = args.out or Path("out") / f"evaluate-{judged.name}"
    apart = write_apart(result, args.empty, folder) if args.empty else None
    print(write_report(result, folder))
    if apart:
        print(apart)
    if args.json:
        write_json(result, args.json)
    print(f"wrote {folder}/report.md and its pictures, report.json, top_losses.csv")
    return 0


def _judge_other(task: str, args: argparse.Namespace) -> str:
    """Judge something else than a classifier; the text of its table."""
    if task == "attributes":
        from training.attributes.evaluate import evaluate as judge_table

        return judge_table(args.model, args.table, args.images, label_map=args.label_map,
                           catch_all=args.catch_all, out=args.out)  # fmt: skip
    if task == "deepfashion":
        from training.deepfashion.evaluate import evaluate as judge_fashion

        return judge_fashion(args.model, args.data, split=args.split, out=args.out)
    files = {"split": args.split, "out": args.out, "json_file": args.json}
    if task == "detect":
        from training.detection.evaluate import evaluate as judge_boxes

        return judge_boxes(
            args.model,
            args.data,
            empty=args.empty,
            threshold=args.threshold,
            name_by=args.name_by,
            **files,
        )
    from training.parsing.evaluate import evaluate as judge_masks

    return judge_masks(args.model, args.data, **files)


if __name__ == "__main__":
    sys.exit(main())
