"""Trains, judges and publishes parsers, for `training.fit`, `.evaluate` and `.export`."""

import argparse
import csv
import dataclasses
import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning.pytorch import seed_everything
from torch import nn

from preprocessing.contact_sheet import contact_sheet, write_image
from preprocessing.errors import UsageError, WeightsError
from preprocessing.parsing import CLASSES, FIRST, UNKNOWN_PIXEL
from preprocessing.samples import read_csv
from preprocessing.splits import split_samples
from training import registry, weights
from training.checkpoint import save_network
from training.export import write_program
from training.models.normalise import Normalise
from training.parsing.answer import openvino_parser
from training.parsing.data import Photos, Views, parsed_people, single_garments
from training.parsing.network import Answer, Parser
from training.parsing.recipes import PARSERS, ParserRecipe
from training.parsing.task import ParserTask, class_weights, confusion, overlaps
from training.recipes import CONFIG
from training.trainer import Machine, make_trainer
from training.weights import WeightsInfo

PALETTE = np.array(
    [(0, 0, 0), (120, 120, 120), (60, 60, 230), (230, 120, 40), (200, 60, 200), (60, 200, 60),
     (0, 200, 230), (180, 220, 60), (30, 120, 250), (250, 220, 120), (160, 90, 250)], np.uint8,
)  # fmt: skip
LAST = "last.ckpt"
FLAGS = {  # of training.fit that a parser takes
    "model", "data", "photos", "group_column", "out", "resume", "seed", "device", "logger",
    "epochs", "batch_size", "lr", "backbone_lr", "image_size", "weight_decay", "patience", "clip",
}  # fmt: skip
SHEET = 24  # photos on the sheet, each with its truth and its answer
MOST_DIFFERENCE = 0.02  # of a probability, between the two files


def fit(args: argparse.Namespace, given: set[str], **origin: str) -> bool:
    """Train the parser that the flags name, judge and publish it into its run; False after Ctrl-C.

    Raises:
        DataError, UsageError: no data, or flags that do not fit.
    """
    run: Path = args.resume or args.out
    if args.resume:
        recipe, config = read_run(run)
    else:
        recipe = _recipe_of(args, given)
        config = {"model": args.model, "seed": args.seed, "data": str(args.data.resolve()),
                  "photos": str(args.photos.resolve()) if args.photos else "",
                  "group_column": args.group_column, "classes": CLASSES, **origin}  # fmt: skip
    people = parsed_people(Path(config["data"]))
    singles = _singles(config)
    if not args.resume:
        run.mkdir(parents=True, exist_ok=True)
        values = {"recipe": dataclasses.asdict(recipe), **config}
        (run / CONFIG).write_text(json.dumps(values, indent=1) + "\n")
    seed_everything(config["seed"], verbose=False)
    task = ParserTask(recipe, class_weights(_pixels(people["train"])))
    trainer = make_trainer(recipe, run, Machine(args.device, logger=args.logger), best="val_iou")
    views = Views(people["train"], singles, recipe, config["seed"])
    try:
        trainer.fit(
            task,
            views.loader(recipe.batch_size),
            Photos(people["val"], _judged_side(recipe)).loader(recipe.batch_size),
            ckpt_path=run / "last.ckpt" if args.resume else None,
            weights_only=True,
        )
    except (KeyboardInterrupt, SystemExit):
        return False
    if trainer.state.finished:
        _finish(run)
    return bool(trainer.state.finished)


def _recipe_of(args: argparse.Namespace, given: set[str]) -> ParserRecipe:
    strange = sorted(given - FLAGS)
    if strange:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in strange)
        raise UsageError(f"{flags}: not for parsers")
    if args.data is None:
        raise UsageError(
            f"--model {args.model} learns from parsed photos: give --data DIR with photos/, masks/ "
            "and labels.csv"
        )
    names = {field.name for field in dataclasses.fields(ParserRecipe)}
    chosen = {name: getattr(args, name) for name in given & names}
    if args.image_size:
        chosen["size"] = args.image_size
    if chosen.get("size", 32) % 32:
        raise UsageError(f"--image-size must be a multiple of 32, got {args.image_size}")
    return dataclasses.replace(PARSERS[args.model], **chosen)


def _singles(config: dict) -> list:
    """The training part of the photos of single garments; no sender is on two sides."""
    if not config["photos"]:
        return []
    samples = read_csv(Path(config["photos"]), group_column=config["group_column"])
    samples = split_samples(samples, validation=0.1, test=0, seed=config["seed"])
    return single_garments([sample for sample in samples if sample.split == "training"])


def _judged_side(recipe: ParserRecipe) -> int:
    """Side of whole photos when they are judged: half again that of training's views."""
    return recipe.size * 3 // 2 // 32 * 32


def _pixels(people: list) -> torch.Tensor:
    """Pixels of each class in the training masks, every fourth row and column."""
    counts = np.zeros(256, np.int64)
    for one in people:
        mask = cv2.imread(str(one.mask), cv2.IMREAD_GRAYSCALE)
        counts += np.bincount(one.table[mask[::4, ::4]].ravel(), minlength=256)
    return torch.from_numpy(counts[: len(CLASSES)])


def read_run(run: Path) -> tuple[ParserRecipe, dict]:
    """The recipe and the config of a parser's run.

    Raises:
        UsageError: the folder is not that of a parser's run.
    """
    try:
        config = json.loads((run / CONFIG).read_text())
        return ParserRecipe(**config["recipe"]), config
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{run} is no parser's run ({error})") from error


def load_best(run: Path) -> tuple[Parser, ParserRecipe, dict]:
    """The best network of a run.

    Raises:
        UsageError: the run has no whole checkpoint.
    """
    recipe, config = read_run(run)
    try:
        state = torch.load(run / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    except (OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(f"{run} has no whole best.ckpt ({error})") from error
    network = Parser(len(CLASSES), recipe.size)
    prefix = "network."
    network.load_state_dict(
        {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    )
    return network.eval(), recipe, config


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """Overlap of each class with the truth, and how many of the photos show it.

    Attributes:
        iou: float (classes,), nan where a class does not occur.
        layers_right: share of the true garments that most of their pixels name right.
    """

    iou: np.ndarray
    accuracy: float
    photos: np.ndarray
    layers_right: float

    def summary(self) -> dict:
        """The single figures; the mean is over garments that at least 10 photos show."""
        frequent = [k for k in range(FIRST, len(CLASSES)) if self.photos[k] >= 10]
        return {
            "mean_iou": float(np.mean(self.iou[frequent])) if frequent else 0.0,
            "accuracy": self.accuracy,
            "layers_right": self.layers_right,
            "photos": int(self.photos.max(initial=0)),
            "iou": {CLASSES[k]: round(float(self.iou[k]), 4) for k in range(len(CLASSES))
                    if not np.isnan(self.iou[k])},
        }  # fmt: skip


@torch.inference_mode()
def judge(network: nn.Module, photos: Photos, *, batch_size: int = 8) -> Judged:
    """Hold a parser's answers on whole photos against their masks."""
    pixels = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    shown, right, regions = np.zeros(len(CLASSES), int), 0, 0
    for images, classes in photos.loader(batch_size):
        logits = network(images).float()
        pixels += confusion(logits, classes)
        scaled = torch.nn.functional.interpolate(logits, classes.shape[1:], mode="bilinear")
        for answer, truth in zip(scaled.argmax(1).numpy(), classes.numpy(), strict=True):
            for label in np.unique(truth[truth != UNKNOWN_PIXEL]):
                said = answer[truth == label]
                shown[label] += 1
                if label >= FIRST:
                    named = np.bincount(said[said >= FIRST], minlength=len(CLASSES))
                    regions += 1
                    right += bool(named.sum()) and named.argmax() == label
    iou, accuracy = overlaps(pixels)
    return Judged(iou.numpy(), accuracy, shown, right / max(1, regions))


def table(judged: Judged) -> str:
    """Overlap of each class as fixed-width text."""
    lines = [f"{'class':12s}    IoU  photos"]
    for name, iou, count in zip(CLASSES, judged.iou, judged.photos, strict=True):
        if count:
            lines.append(f"{name:12s} {iou:6.3f}  {count:6d}")
    figures = judged.summary()
    lines.append(
        f"garments in 10 photos or more: mean IoU {figures['mean_iou']:.3f}; layer of a garment "
        f"right {figures['layers_right']:.1%}; pixels {judged.accuracy:.1%}"
    )
    return "\n".join(lines)


@torch.inference_mode()
def draw_sheet(path: Path, network: nn.Module, photos: Photos) -> None:
    """Photos with the truth and with the answer painted over, side by side."""
    tiles = []
    for index in range(0, len(photos), max(1, len(photos) // SHEET)):
        image, truth = photos[index]
        logits = network(image[None]).float()
        answer = torch.nn.functional.interpolate(logits, truth.shape, mode="bilinear").argmax(1)[0]
        picture = image.numpy().transpose(1, 2, 0)
        for labels in (truth.numpy(), answer.numpy()):
            colours = PALETTE[np.where(labels < len(CLASSES), labels, 0)]
            tiles.append(cv2.addWeighted(picture, 0.4, colours, 0.6, 0))
    write_image(path, contact_sheet(tiles, columns=8))


def export(run: Path, folder: Path) -> WeightsInfo:
    """Publish a run's best network, judged on its held-out block of photos.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the two files give different answers.
    """
    network, recipe, config = load_best(run)
    network = network.half().float()  # rounded first, so that both files hold the same numbers
    people = parsed_people(Path(config["data"]))
    photos = Photos(people["test"] or people["val"], _judged_side(recipe))
    judged = judge(network, photos)
    text = table(judged)
    print(text)
    draw_sheet(run / "parsed.png", network, photos)
    (run / "report.md").write_text(f"# {config['model']}\n\n```\n{text}\n```\n\n![](parsed.png)\n")
    (run / "report.json").write_text(json.dumps(judged.summary(), indent=1) + "\n")
    normalise = next(m for m in network.modules() if isinstance(m, Normalise))
    parameters = sum(p.numel() for p in network.parameters())
    info = WeightsInfo(
        name=config["model"], network=recipe.network, classes=CLASSES, cut="letterbox",
        size=_judged_side(recipe), channels=3, mean=normalise.mean, std=normalise.std,
        temperature=1.0, task="parse", command=config["command"], commit=config["commit"],
        metrics={"parameters": parameters, "test": judged.summary()},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    write(stem, network, info)
    weights.write_manifest(info, folder)
    return info


def write(stem: Path, network: Parser, info: WeightsInfo) -> None:
    """Write both files in half precision, and check that they agree.

    Inputs of the ONNX file are BGR bytes (1, 3, H, W), outputs probabilities (1, classes, H / 4,
    W / 4).
    """
    save_network(stem, network, info, half=True)
    example = torch.zeros(1, 3, info.size, info.size, dtype=torch.uint8)
    blocks = {2: 32 * torch.export.Dim("rows", min=2), 3: 32 * torch.export.Dim("columns", min=2)}
    write_program(stem.with_suffix(".onnx"), Answer(network), example, info, half=True,
                  dynamic=blocks, output="probabilities")  # fmt: skip
    image = np.random.default_rng(0).integers(0, 256, (1, 3, info.size, info.size), np.uint8)
    from_onnx = openvino_parser(stem, info, precise=True)(image)
    with torch.inference_mode():
        from_tensors = Answer(network)(torch.from_numpy(image)).numpy()
    if not np.abs(from_onnx - from_tensors).max() < MOST_DIFFERENCE:
        raise WeightsError(f"{stem}: the two files' answers differ")


def _finish(run: Path) -> None:
    """Publish into the run's own folder, and enter the registry."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    info = export(run, run)
    _, config = read_run(run)
    figures = info.metrics["test"]
    registry.put(run, {
        **config["recipe"], **config, "classes": len(CLASSES), "epochs": len(rows),
        "minutes": round(sum(float(row["seconds"]) for row in rows) / 60, 1),
        "parameters": info.metrics["parameters"], "count": figures["photos"],
        "measured_on": "parsed photos held out",
    })  # fmt: skip
    print(f"wrote {run}: report.md, parsed.png")
