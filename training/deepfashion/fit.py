"""Trains, judges and publishes DeepFashion networks, for `training.fit` and `training.export`."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import seed_everything
from torch import nn

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import Benchmark, read_benchmark
from preprocessing.datasets.imputation import modes
from preprocessing.errors import DataError, UsageError, WeightsError
from preprocessing.images.contact_sheet import Mark, contact_sheet, marked_tile
from preprocessing.images.pictures import read_picture, write_image
from training.common import reports, run_index
from training.common.checkpoints import filled, load_best, read_config, save_network, write_config
from training.common.data_parts import Order
from training.common.flags import replaced, with_backbone
from training.common.trainer import Machine, fitted, make_trainer
from training.deepfashion.data import FashionPart, FashionPictures
from training.deepfashion.metrics import Habit, as_markdown
from training.deepfashion.module import FashionTask, judged
from training.deepfashion.network import FashionNetwork
from training.deepfashion.outputs import BOX, Outputs, names
from training.deepfashion.recipes import FASHION_MODELS, FashionRecipe
from training.export import MAX_DIFFERENCE, MAX_SHARE, write_onnx
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo
from training.models.normalise import Normalise

LAST = "last.ckpt"
FLAGS = {  # of training.fit that such a network takes
    "model", "data", "backbone", "train_split", "init", "out", "resume", "seed", "device", "logger",
    "precision", "epochs", "batch_size", "lr", "backbone_lr", "image_size", "weight_decay",
    "patience", "clip", "schedule", "optimizer", "augment", "dropout", "pretrained",
    "freeze_backbone", "unfreeze_after", "category_weight", "attribute_weight", "box_weight",
    "landmark_weight", "attribute_loss", "box_loss", "reduction", "positive_weight",
}  # fmt: skip
HABIT_PICTURES = 400  # whose boxes make the mean box
MOST = 50.0  # that an attribute's positives, or a class of a group, may weigh
SHEET, SHEET_SIDE = 40, 200  # pictures on the sheet of boxes, and their side in pixels
TRUE_COLOUR, ANSWER_COLOUR = (230, 140, 30), (30, 30, 230)
CHECKED = 8  # noise pictures on which the two files are held against each other


@dataclasses.dataclass(frozen=True, eq=False)
class FashionParts:
    """A benchmark ready for training; `outputs` are what it has the truth for."""

    outputs: Outputs
    training: FashionPart
    validation: FashionPart
    test: FashionPart


def fit(args: argparse.Namespace, given: set[str], **origin: str) -> bool:
    """Train the network that the flags name, and judge it; False after Ctrl-C.

    Raises:
        DataError, UsageError: no data, or flags that do not fit.
    """
    run: Path = args.resume or args.out
    if args.resume:
        recipe, config = read_config(run, FashionRecipe)
    else:
        recipe = _recipe_of(args, given)
        config = {"model": args.model, "seed": args.seed, "data": str(args.data.resolve()),
                  "train_split": args.train_split or 0.8, **origin}  # fmt: skip
    parts = open_parts(config, recipe)
    if not args.resume:
        write_config(run, recipe, **config, classes=names(parts.outputs.parts))
    seed_everything(config["seed"], verbose=False)
    task = FashionTask(
        recipe, parts.outputs, run=run, habit=habit_of(parts.training),
        weights=loss_weights(parts.training, recipe),
    )  # fmt: skip
    if args.init:
        load_best(args.init, task.network).train()
    machine = Machine(args.device, logger=args.logger, precision=args.precision)
    trainer = make_trainer(recipe, run, machine, best="val_score")
    finished = fitted(
        trainer,
        task,
        parts.training.loader(Order(recipe.batch_size, config["seed"])),
        parts.validation.loader(),
        checkpoint=run / LAST if args.resume else None,
    )
    if finished:
        _finish(run)
    return finished


def _recipe_of(args: argparse.Namespace, given: set[str]) -> FashionRecipe:
    if not args.data:
        raise UsageError(f"--model {args.model} learns from DeepFashion: give --data DIR with its "
                         "lists and img/")  # fmt: skip
    recipe = replaced(FASHION_MODELS[args.model], args, given, allowed=FLAGS,
                      task="DeepFashion networks", stride=1)  # fmt: skip
    return with_backbone(recipe, args)


def open_parts(config: dict, recipe: FashionRecipe) -> FashionParts:
    """The official parts, of those pictures that are there; without any to validate on, a share of
    the training pictures' products is held out.

    Raises:
        DataError: see `read_benchmark`, or fewer than two training pictures.
    """
    benchmark = read_benchmark(Path(config["data"]))
    there = np.array([path.is_file() for path in benchmark.paths])
    splits = np.array(benchmark.splits)
    rows = {name: np.flatnonzero(there & (splits == name))
            for name in ("training", "validation", "test")}  # fmt: skip
    if len(rows["training"]) < 2:
        raise DataError(f"{config['data']}: {len(rows['training'])} training pictures are there")
    if not len(rows["validation"]):
        rows["training"], rows["validation"] = _held_out(
            benchmark, rows["training"], share=config["train_split"], seed=config["seed"]
        )
    counts = ", ".join(f"{len(found)} {name}" for name, found in rows.items())
    print(f"{counts} pictures; {int((~there).sum())} of the lists are not there", file=sys.stderr)
    parts = {name: FashionPart(benchmark, found, recipe.size) for name, found in rows.items()}
    return FashionParts(Outputs.of(benchmark), **parts)


def _held_out(
    benchmark: Benchmark, rows: np.ndarray, *, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train and to validate on; pictures of one product's folder stay together."""
    folders = np.array([str(benchmark.paths[row].parent) for row in rows])
    if len(set(folders)) == 1:  # no folder a product
        folders = np.array([str(benchmark.paths[row]) for row in rows])
    products, product = np.unique(folders, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(products))
    chosen = np.isin(product, order[: max(1, round(share * len(products)))])
    return rows[chosen], rows[~chosen]


def habit_of(part: FashionPart) -> Habit:
    """What a baseline answers that has only seen the truths of training."""
    pictures = FashionPictures(part, changed=False)
    chosen = np.unique(np.linspace(0, len(part) - 1, HABIT_PICTURES).astype(int))
    boxes = np.stack([pictures[int(index)][1]["box"].numpy() for index in chosen])
    values = part.benchmark.values
    usual = np.zeros(0, int) if values is None else modes(values[part.rows])
    return Habit(np.nanmean(boxes, axis=0), usual)


def loss_weights(part: FashionPart, recipe: FashionRecipe) -> dict[str, object]:
    """What rare attributes and classes weigh more, as `losses` takes it; see FashionRecipe."""
    found: dict[str, object] = {}
    if not recipe.positive_weight:
        return found
    if part.benchmark.bits is not None:
        bits = part.benchmark.bits
        counts = np.zeros(bits.count, np.int64)
        for rows in np.array_split(part.rows, max(1, len(part) // 4096)):
            has = np.unpackbits(bits.positive[rows], axis=1, count=bits.count)
            counts += has.sum(axis=0, dtype=np.int64)
        found["positive_weights"] = _rarity(len(part) - counts, counts, recipe)
    if part.benchmark.values is not None:
        columns = part.benchmark.values[part.rows].T
        counts = [np.bincount(c[c != MISSING], minlength=len(g))
                  for c, g in zip(columns, part.benchmark.groups, strict=True)]  # fmt: skip
        found["group_weights"] = [_rarity(some.mean(), some, recipe) for some in counts]
    return found


def _rarity(others: np.ndarray | float, counts: np.ndarray, recipe: FashionRecipe) -> torch.Tensor:
    """Weights float32, of the others' counts over these ones, to the recipe's power."""
    weighed = (others / np.maximum(counts, 1)) ** recipe.positive_weight
    return torch.from_numpy(np.clip(weighed, 1 / MOST, MOST).astype(np.float32))


def answers_of(
    network: nn.Module, part: FashionPart
) -> list[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Batches of a network's answers with their truths."""
    network = network.eval()
    with torch.inference_mode():
        return [(network(images).float(), truth) for images, truth in part.loader()]


def _finish(run: Path) -> None:
    """Curves, judgement, boxes and the registry's row of a finished run.

    Judged on the test part where there is one, else on the validation part.
    """
    recipe, config = read_config(run, FashionRecipe)
    parts = open_parts(config, recipe)
    network = load_best(run, _network(recipe, parts.outputs))
    rows = reports.read_metrics(run / "metrics.csv")
    reports.plot_curves(run / "curves.png", rows)
    part, measured_on = parts.validation, "validation"
    if len(parts.test):
        part, measured_on = parts.test, "test"
    seen = answers_of(network, part)
    found = judged(seen, parts.outputs, habit=habit_of(parts.training))
    text = as_markdown(found, f"{config['model']} on the {measured_on} part of {config['data']}")
    (run / "report.md").write_text(text, encoding="utf-8")
    (run / "report.json").write_text(json.dumps(found.summary(), indent=1) + "\n")
    draw_boxes(run / "boxes.png", part, torch.cat([one for one, _ in seen]), parts.outputs)
    run_index.put(
        run, config, rows, parameters=sum(p.numel() for p in network.parameters()),
        measured_on=measured_on, count=found.count,
    )  # fmt: skip
    print(f"{text}\nwrote {run}: report.md, results.csv, curves.png, boxes.png")


def _network(recipe: FashionRecipe, outputs: Outputs) -> FashionNetwork:
    return FashionNetwork(recipe.network, outputs, size=recipe.size, dropout=0.0)


def draw_boxes(path: Path, part: FashionPart, answer: torch.Tensor, outputs: Outputs) -> None:
    """A sheet of the part's first pictures with true (blue) and answered (red) boxes."""
    boxes, tiles = outputs.split(answer)["box", BOX].numpy(), []
    for row, box in list(zip(part.rows, boxes, strict=True))[:SHEET]:
        image = read_picture(part.benchmark.paths[row])
        sides = np.tile(image.shape[1::-1], 2)
        marks = [Mark(part.benchmark.boxes[row], TRUE_COLOUR, width=2),
                 Mark(box * sides, ANSWER_COLOUR, width=2)]  # fmt: skip
        tiles.append(marked_tile(image, marks, side=SHEET_SIDE))
    write_image(path, contact_sheet(tiles, columns=8))


def export(run: Path, folder: Path) -> WeightsInfo:
    """Publish a run's best network.

    Raises:
        UsageError: no such run, or it has not been judged.
        WeightsError: the two files give different answers.
    """
    recipe, config = read_config(run, FashionRecipe)
    if not (run / "report.json").is_file():
        raise UsageError(f"{run} has no report.json: let training.fit finish")
    outputs = open_parts(config, recipe).outputs
    network = load_best(run, _network(recipe, outputs)).half().float()
    normalise = next(m for m in network.modules() if isinstance(m, Normalise))
    metrics = {"parameters": sum(p.numel() for p in network.parameters()),
               "judged": json.loads((run / "report.json").read_text())}  # fmt: skip
    info = WeightsInfo(
        name=config["model"], network=recipe.network, classes=names(outputs.parts), cut="photo",
        size=recipe.size, channels=3, mean=normalise.mean, std=normalise.std, temperature=1.0,
        task="deepfashion", attributes=outputs.parts, metrics=metrics,
        command=config["command"], commit=config["commit"],
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    save_network(stem, network, info, half=True)
    write_onnx(stem.with_suffix(".onnx"), network, info, half=True)
    check(stem, info)
    weights.write_manifest(info, folder)
    return info


def load_network(stem: Path, info: WeightsInfo) -> FashionNetwork:
    """The network of `stem`.safetensors, ready to evaluate.

    Raises:
        WeightsError: the tensors do not fit the network that the metadata names.
    """
    network = FashionNetwork(info.network, Outputs(info.attributes), size=info.size, dropout=0.0)
    return filled(network, stem, info)


def check(stem: Path, info: WeightsInfo) -> None:
    """Hold both files' answers on noise against each other.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    noise = np.random.default_rng(0).integers(
        0, 256, (CHECKED, 3, info.size, info.size), np.uint8
    )  # fmt: skip
    from_onnx = OpenVinoNetwork(stem, precise=True)(noise)
    with torch.inference_mode():
        from_tensors = load_network(stem, info)(torch.from_numpy(noise)).numpy()
    difference = float(np.abs(from_onnx - from_tensors).max())
    if not difference <= MAX_DIFFERENCE + MAX_SHARE * float(np.abs(from_tensors).max()):
        raise WeightsError(f"{stem}: the two files' answers differ by {difference:.3g}")
