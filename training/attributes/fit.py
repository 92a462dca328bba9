"""Trains, judges and publishes models of attributes, for `training.fit` and `training.export`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import seed_everything
from torch import nn

from preprocessing.datasets.attribute_table import MISSING, Attribute, AttributeTable, read_table
from preprocessing.errors import UsageError
from training.attributes import metrics
from training.attributes.data import TablePart, TableParts, open_parts
from training.attributes.module import AttributeTask
from training.attributes.recipes import ATTRIBUTE_MODELS, AttributeRecipe
from training.classification.module import predict
from training.common import reports, run_index
from training.common.checkpoints import load_best, read_config, save_network, write_config
from training.common.data_parts import Order
from training.common.flags import replaced, with_backbone
from training.common.trainer import Machine, fitted, make_trainer
from training.export import CHECK_IMAGES, check, first_images, write_onnx
from training.inference import weights
from training.inference.weights import WeightsInfo
from training.models import MODELS
from training.models.normalise import Normalise

LAST = "last.ckpt"
FLAGS = {  # of training.fit that a model of attributes takes
    "model", "table", "images", "label_map", "missing", "backbone", "head", "train_split",
    "catch_all", "group_column", "init", "out", "resume", "seed", "device", "logger", "epochs",
    "precision", "batch_size", "lr", "backbone_lr", "image_size", "weight_decay", "patience",
    "clip", "schedule", "optimizer", "augment", "crop", "balance", "dropout", "pretrained",
    "freeze_backbone", "unfreeze_after", "limit_train",
}  # fmt: skip
FIGURES = "report.json"


def fit(args: argparse.Namespace, given: set[str], **origin: str) -> bool:
    """Train the model that the flags name, judge and publish it into its run; False after Ctrl-C.

    Raises:
        DataError, UsageError: no data, or flags that do not fit.
    """
    run: Path = args.resume or args.out
    if args.resume:
        recipe, config = read_config(run, AttributeRecipe)
    else:
        recipe = _recipe_of(args, given)
        config = {
            "model": args.model, "seed": args.seed, "table": str(args.table.resolve()),
            "images": str(args.images.resolve()), "group_column": args.group_column,
            "label_map": str(args.label_map.resolve()) if args.label_map else "",
            "catch_all": args.catch_all or "", "limit": args.limit_train, **origin,
        }  # fmt: skip
    parts = _open(recipe, config, run)
    metrics.catch_alls(config["catch_all"], parts.attributes)  # refused before training, not after
    if not args.resume:
        write_config(run, recipe, **config, classes=class_names(parts.attributes))
    seed_everything(config["seed"], verbose=False)
    class_weights = _class_weights(parts) if recipe.balance == "loss" else ()
    task = AttributeTask(recipe, parts.attributes, class_weights=class_weights, modes=parts.modes)
    if args.init:
        load_best(args.init, task.network).train()
    machine = Machine(args.device, logger=args.logger, precision=args.precision)
    trainer = make_trainer(recipe, run, machine, best="val_f1")
    order = Order(recipe.batch_size, config["seed"], balanced=recipe.balance == "sampling")
    finished = fitted(
        trainer,
        task,
        parts.training.loader(order),
        parts.validation.loader(),
        checkpoint=run / LAST if args.resume else None,
    )
    if finished:
        _finish(run)
    return finished


def _recipe_of(args: argparse.Namespace, given: set[str]) -> AttributeRecipe:
    if not args.table or not args.images:
        raise UsageError(f"--model {args.model} learns from a table and its pictures: give --table "
                         "attributes.csv and --images DIR")  # fmt: skip
    recipe = replaced(ATTRIBUTE_MODELS[args.model], args, given, allowed=FLAGS,
                      task="models of attributes", stride=1)  # fmt: skip
    return with_backbone(recipe, args)


def _open(recipe: AttributeRecipe, config: dict, run: Path) -> TableParts:
    """The run's data; what was left out is said."""
    label_map = Path(config["label_map"]) if config["label_map"] else None
    table = read_table(
        Path(config["table"]), label_map=label_map, group_column=config["group_column"]
    )
    run.mkdir(parents=True, exist_ok=True)
    parts = open_parts(table, Path(config["images"]), recipe, seed=config["seed"],
                       limit=config["limit"], bad_log=run / "unreadable.txt")  # fmt: skip
    print(f"{len(parts.training)} pictures to train, {len(parts.validation)} to validate on; "
          f"{len(parts.absent)} names without a picture; {len(parts.conflicting)} whose rows "
          "differ: what these disagree on is taken for unknown", file=sys.stderr)  # fmt: skip
    return parts


def _class_weights(parts: TableParts) -> list[torch.Tensor]:
    """For each attribute weights float32 (classes,) that make its classes count alike."""
    found = []
    for attribute, column in zip(parts.attributes, parts.training.labels.T, strict=True):
        counts = column[column != MISSING].bincount(minlength=len(attribute)).clamp(min=1)
        found.append(counts.sum() / (len(counts) * counts.float()))
    return found


def class_names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Names for all outputs of a network: "neck henley", ..."""
    return tuple(f"{one.name} {title}" for one in attributes for title in one.titles)


def load_run(run: Path) -> tuple[nn.Module, AttributeRecipe, dict, TableParts]:
    """The best network of a run, its recipe and config, and the parts of its table.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        DataError: its table or its pictures are gone.
    """
    recipe, config = read_config(run, AttributeRecipe)
    network = MODELS[recipe.network](recipe.shape(len(config["classes"])), dropout=0.0)
    return load_best(run, network), recipe, config, _open(recipe, config, run)


def write_figures(
    folder: Path,
    answers: tuple[np.ndarray, np.ndarray],
    attributes: Sequence[Attribute],
    *,
    modes: np.ndarray,
    catch_all: str,
    title: str,
) -> str:
    """Write report.md and report.json about logits and truth; the text of the table."""
    left_out = metrics.catch_alls(catch_all, attributes)
    found = metrics.judge(*answers, attributes, modes=modes)
    text = metrics.table(found, without={})
    figures = {one.attribute.name: one.summary() for one in found}
    if left_out:
        strict = metrics.judge(*answers, attributes, modes=modes, catch_all=left_out)
        text += "\n\n" + metrics.table(strict, without=left_out)
        figures["without_catch_all"] = {one.attribute.name: one.summary() for one in strict}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    summary = {"macro_f1": round(metrics.mean_f1(found), 5), "attributes": figures}
    (folder / FIGURES).write_text(json.dumps(summary, indent=1) + "\n")
    return text


def answers_of(network: nn.Module, part: TablePart) -> tuple[np.ndarray, np.ndarray]:
    """A network's logits float32 (N, all classes) and the truth int64 (N, attributes)."""
    logits, values = predict(network, part.loader())
    return logits.numpy(), values.numpy()


def _finish(run: Path) -> None:
    """Curves, judgement and the registry's row of a finished run."""
    network, _, config, parts = load_run(run)
    rows = reports.read_metrics(run / "metrics.csv")
    reports.plot_curves(run / "curves.png", rows)
    answers = answers_of(network, parts.validation)
    title = f"{config['model']} on the validation pictures of {config['table']}"
    print(write_figures(run, answers, parts.attributes, modes=parts.modes,
                        catch_all=config["catch_all"], title=title))  # fmt: skip
    figures = json.loads((run / FIGURES).read_text())
    run_index.put(
        run, config, rows, data=config["table"], measured_on="validation",
        parameters=sum(p.numel() for p in network.parameters()), count=len(parts.validation),
        macro_f1=figures["macro_f1"],
    )  # fmt: skip
    print(f"wrote {run}: report.md, curves.png")


def export(run: Path, folder: Path) -> WeightsInfo:
    """Publish a run's best network.

    Raises:
        UsageError: no such run, or it has not been judged.
        WeightsError: the two files give different answers.
    """
    network, recipe, config, parts = load_run(run)
    if not (run / FIGURES).is_file():
        raise UsageError(f"{run} has no {FIGURES}: let training.fit finish")
    network = network.half().float()  # rounded first, so that both files hold the same numbers
    normalise = next(m for m in network.modules() if isinstance(m, Normalise))
    metrics = {"parameters": sum(p.numel() for p in network.parameters()),
               "validation": json.loads((run / FIGURES).read_text())}  # fmt: skip
    info = WeightsInfo(
        name=config["model"], network=recipe.network, classes=class_names(parts.attributes),
        cut="photo", size=recipe.size, channels=3, mean=normalise.mean, std=normalise.std,
        temperature=1.0, head=recipe.head, task="attributes", attributes=parts.attributes,
        metrics=metrics, command=config["command"], commit=config["commit"],
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    save_network(stem, network, info, half=True)
    write_onnx(stem.with_suffix(".onnx"), network, info, half=True)
    check(stem, info, first_images(parts.validation, count=CHECK_IMAGES))
    weights.write_manifest(info, folder)
    return info


def judged_table(table: AttributeTable, attributes: Sequence[Attribute]) -> np.ndarray:
    """A table's classes (N, attributes) in the numbers of a model's attributes.

    Raises:
        UsageError: the table lacks one of them, or has a code that the model does not know.
    """
    columns = {one.name: (one, table.values[:, k]) for k, one in enumerate(table.attributes)}
    found = []
    for attribute in attributes:
        if attribute.name not in columns:
            raise UsageError(f"the table has no column {attribute.name}: it has "
                             f"{', '.join(columns)}")  # fmt: skip
        one, values = columns[attribute.name]
        strange = sorted(set(one.codes) - set(attribute.codes))
        if strange:
            raise UsageError(f"the model does not know {attribute.name} {', '.join(strange)}")
        numbers = np.array([attribute.codes.index(code) for code in one.codes] + [MISSING])
        found.append(numbers[values])
    return np.stack(found, axis=1)
