"""Trains, judges and publishes parsers, for `training.fit`, `.evaluate` and `.export`."""

import argparse
import dataclasses
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning.pytorch import seed_everything

from preprocessing.datasets.samples import read_csv
from preprocessing.datasets.splits import split_samples
from preprocessing.errors import DataError, UsageError, WeightsError
from preprocessing.images.class_maps import CLASSES
from preprocessing.images.pictures import picture_paths
from preprocessing.synthesis.backgrounds import Patches
from training.common import run_index
from training.common.checkpoints import load_best, read_config, save_network, write_config
from training.common.flags import replaced
from training.common.reports import read_metrics
from training.common.trainer import Machine, fitted, make_trainer
from training.export import describe_onnx, write_program
from training.inference import weights
from training.inference.parser import STRIDE, openvino_parser
from training.inference.weights import WeightsInfo
from training.models.normalise import Normalise
from training.parsing.data import (
    Photos,
    Sources,
    Views,
    boxed_people,
    parsed_people,
    single_garments,
)
from training.parsing.metrics import judge, write_report
from training.parsing.module import ParserTask, class_weights
from training.parsing.network import Answer, Parser
from training.parsing.recipes import PARSERS, ParserRecipe

LAST = "last.ckpt"
FLAGS = {  # of training.fit that a parser takes
    "model", "data", "photos", "boxed", "teacher", "backgrounds", "group_column", "init", "out",
    "resume", "seed", "device", "logger", "epochs", "batch_size", "lr", "backbone_lr", "image_size",
    "weight_decay", "patience", "clip",
}  # fmt: skip
SOURCES = ("data", "photos", "backgrounds")  # of these, folders and files
MOST_DIFFERENCE = 0.02  # of a probability, between the two files


def fit(args: argparse.Namespace, given: set[str], **origin: str) -> bool:
    """Train the parser that the flags name, judge and publish it into its run; False after Ctrl-C.

    Raises:
        DataError, UsageError: no data, or flags that do not fit.
    """
    run: Path = args.resume or args.out
    if args.resume:
        recipe, config = read_config(run, ParserRecipe)
    else:
        recipe = _recipe_of(args, given)
        config = {
            "model": args.model, "seed": args.seed, "group_column": args.group_column,
            **{name: _absolute(getattr(args, name)) for name in SOURCES},
            "boxed": [_absolute(folder) for folder in args.boxed or ()],
            "teacher": args.teacher or "", "classes": CLASSES, **origin,
        }  # fmt: skip
    people = parsed_people(Path(config["data"]))
    sources = _sources(config, people["train"])
    if not args.resume:
        write_config(run, recipe, **config)
    seed_everything(config["seed"], verbose=False)
    task = ParserTask(recipe, class_weights(_pixels(people["train"])))
    if args.init:
        load_best(args.init, task.network).train()
    trainer = make_trainer(recipe, run, Machine(args.device, logger=args.logger), best="val_iou")
    views = Views(sources, recipe, config["seed"])
    finished = fitted(
        trainer,
        task,
        views.loader(recipe.batch_size),
        Photos(people["val"], _judged_side(recipe)).loader(recipe.batch_size),
        checkpoint=run / LAST if args.resume else None,
    )
    if finished:
        _finish(run)
    return finished


def _recipe_of(args: argparse.Namespace, given: set[str]) -> ParserRecipe:
    if args.data is None:
        raise UsageError(
            f"--model {args.model} learns from parsed photos: give --data DIR with photos/, masks/ "
            "and labels.csv"
        )
    if bool(args.boxed) != bool(args.teacher):
        raise UsageError("--boxed DIR and --teacher WEIGHTS go together: one paints the other")
    return replaced(PARSERS[args.model], args, given, allowed=FLAGS, task="parsers")


def _absolute(path: Path | None) -> str:
    return str(path.resolve()) if path else ""


def _sources(config: dict, parsed: list) -> Sources:
    """All that the run learns from.

    Raises:
        DataError: no garment-free pictures, or boxes that cannot be read.
        WeightsError: the teacher cannot be read.
    """
    boxed, grounds = [], None
    if config["boxed"]:
        stem, info = weights.locate_for("parse", config["teacher"])
        teacher = openvino_parser(stem, info)
        boxed = [one for folder in config["boxed"] for one in boxed_people(Path(folder), teacher)]
    if config["backgrounds"]:
        pictures = picture_paths(Path(config["backgrounds"]))
        if not pictures:
            raise DataError(f"no pictures in --backgrounds {config['backgrounds']}")
        grounds = Patches(pictures)
    # Masks drawn by hand are seen twice as often as painted ones.
    return Sources([*parsed, *parsed, *boxed], _singles(config), grounds)


def _singles(config: dict) -> list:
    """The training part of the photos of single garments; no sender is on two sides."""
    if not config["photos"]:
        return []
    samples = read_csv(Path(config["photos"]), group_column=config["group_column"])
    samples = split_samples(samples, validation=0.1, test=0, seed=config["seed"])
    return single_garments([sample for sample in samples if sample.split == "training"])


def _judged_side(recipe: ParserRecipe) -> int:
    """Side of whole photos and frames, in which people are smaller than in training's views."""
    return recipe.size * 7 // 4 // STRIDE * STRIDE


def _pixels(people: list) -> torch.Tensor:
    """Pixels of each class in the training masks, every fourth row and column."""
    counts = np.zeros(256, np.int64)
    for one in people:
        mask = cv2.imread(str(one.mask), cv2.IMREAD_GRAYSCALE)
        counts += np.bincount(one.table[mask[::4, ::4]].ravel(), minlength=256)
    return torch.from_numpy(counts[: len(CLASSES)])


def export(run: Path, folder: Path) -> WeightsInfo:
    """Publish a run's best network, judged on its held-out block of photos.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the two files give different answers.
    """
    recipe, config = read_config(run, ParserRecipe)
    network = load_best(run, Parser(len(CLASSES), recipe.size))
    network = network.half().float()  # rounded first, so that both files hold the same numbers
    normalise = next(m for m in network.modules() if isinstance(m, Normalise))
    info = WeightsInfo(
        name=config["model"], network=recipe.network, classes=CLASSES, cut="frame",
        size=_judged_side(recipe), channels=3, mean=normalise.mean, std=normalise.std,
        temperature=1.0, task="parse", command=config["command"], commit=config["commit"],
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    write_network(stem.with_suffix(".onnx"), network)
    parse = openvino_parser(stem, info)
    people = parsed_people(Path(config["data"]))["val"]
    judged = judge(parse, people)
    title = f"{info.name} on the validation photos of {config['data']}"
    print(write_report(run, judged, parse, people, title=title))
    parameters = sum(p.numel() for p in network.parameters())
    metrics = {"parameters": parameters, "validation": judged.summary()}
    info = dataclasses.replace(info, metrics=metrics)
    describe_onnx(stem.with_suffix(".onnx"), info)
    save_network(stem, network, info, half=True)
    check(stem, network, info)
    weights.write_manifest(info, folder)
    return info


def write_network(path: Path, network: Parser) -> None:
    """Write the .onnx file, in half precision.

    Inputs are BGR bytes (1, 3, H, W), outputs probabilities (1, classes, H / 4, W / 4).
    """
    side = 2 * STRIDE
    example = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    blocks = {axis: STRIDE * torch.export.Dim(name, min=2)
              for axis, name in ((2, "rows"), (3, "columns"))}  # fmt: skip
    write_program(path, Answer(network), example, half=True, dynamic=blocks, output="probabilities")


def check(stem: Path, network: Parser, info: WeightsInfo) -> None:
    """Hold the .onnx file's answer on noise against the network's.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    noise = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_parser(stem, info, precise=True)(noise)
    with torch.inference_mode():
        planes = torch.from_numpy(noise.transpose(2, 0, 1)[None].copy())
        from_network = Answer(network)(planes)[0].numpy()
    difference = np.abs(from_onnx - from_network).max()
    if not difference < MOST_DIFFERENCE:
        raise WeightsError(f"{stem}: the two files' probabilities differ by {difference:.3g}")


def _finish(run: Path) -> None:
    """Publish into the run's own folder, and enter the registry."""
    rows = read_metrics(run / "metrics.csv")
    info = export(run, run)
    _, config = read_config(run, ParserRecipe)
    figures = info.metrics["validation"]
    run_index.put(
        run, config | {"classes": CLASSES}, rows, parameters=info.metrics["parameters"],
        count=figures["photos"], measured_on="validation",
    )  # fmt: skip
    print(f"wrote {run}: report.md, parsed.png")
