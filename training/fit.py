"""Trains a recipe: `python -m training.fit --model deep`.

A run folder holds config.json, metrics.csv, curves.png, best.ckpt, last.ckpt and, at the end, the
judgement: report.md, report.json, confusion.png and more. Every finished run is a row of index.csv
beside its folder.
"""

import argparse
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from preprocessing.command import exit_status
from preprocessing.errors import DeviceError, UsageError
from training.detection.recipes import DETECTORS
from training.parsing.recipes import PARSERS
from training.recipes import BALANCES, LOGGERS, MIXES, RECIPES, Recipe, recipe_named, task_of
from training.rules import add_rules, rules_of
from training.shape import HEADS

REPLACEABLE = {
    "epochs", "batch_size", "lr", "schedule", "augment", "label_smoothing", "pretrained",
    "backbone_lr", "dropout", "head", "mix", "balance", "teacher", "optimizer", "weight_decay",
    "clip", "patience", "crop",
}  # fmt: skip
POSITIVE = ("epochs", "batch_size", "lr", "limit_train", "limit_test", "image_size", "devices",
            "nodes", "unfreeze_after")  # fmt: skip
NOT_NEGATIVE = ("backbone_lr", "weight_decay", "clip", "patience")
SHARES = ("label_smoothing", "dropout")
INTERRUPTED = 130
BEFORE_REFIT = "before the refit"  # what a refitted run's figures were measured on


def parser() -> argparse.ArgumentParser:
    """The flags of training.fit."""
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Train a network. Validation chooses the best epoch; the test set is read "
        "once, at the end. What is not given comes from the recipe (training/recipes.py).",
    )
    add = parser.add_argument
    names = ", ".join((*RECIPES, *DETECTORS, *PARSERS))
    add("--model", metavar="NAME", help=f"a recipe ({names}) or a network's name")
    add("--out", type=Path, help="run folder (default runs/MODEL-DATE)")
    add("--resume", type=Path, metavar="RUN", help="go on with this run folder's last checkpoint")
    add("--refit", type=Path, metavar="RUN", help="train RUN's recipe again, on all its photos; "
        "RUN's figures stand for it")  # fmt: skip
    add("--seed", type=int, default=0, help="of weights, order, augmentation, splits (default 0)")
    _add_data(parser.add_argument_group("data"))
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_machine(parser.add_argument_group("machine"))
    return parser


def _add_data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--data", type=Path, metavar="DIR|CSV|YAML", help="photos: a folder a class, a CSV, or "
        "what training.build_dataset wrote; a detector takes a data.yaml, a parser photos/ and "
        "masks/")  # fmt: skip
    add("--photos", type=Path, metavar="CSV", help="parsers: photos of single garments as well")
    add("--data-dir", metavar="DIR", help="folder of the four Fashion-MNIST files")
    add("--limit-train", type=int, metavar="N", help="Fashion-MNIST: train and validate on N")
    add("--limit-test", type=int, metavar="N", help="Fashion-MNIST: test on the first N images")
    add_rules(group)


def _add_network(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--image-size", type=int, metavar="N", help="side of the network's input in pixels")
    add("--head", choices=HEADS, help="hidden: 256 units before the outputs")
    add("--dropout", type=float, metavar="SHARE", help="before the last layer")
    add("--pretrained", metavar="none|imagenet|FILE", help="weights that the backbone starts from")
    add("--init", type=Path, metavar="RUN", help="start from the best weights of this finished run")
    add("--freeze-backbone", action="store_true", help="train the head alone")
    add("--unfreeze-after", type=int, metavar="EPOCHS", help="train the head alone that long")
    add("--backbone-lr", type=float, metavar="LR", help="the backbone's highest learning rate")


def _add_training(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--epochs", type=int, help="passes over the training images")
    add("--batch-size", type=int, help="images a step, over all processes")
    add("--lr", type=float, help="highest learning rate")
    add("--schedule", choices=["plateau", "onecycle", "cosine", "step"], help="of the rate")
    add("--optimizer", choices=["sgd", "adamw"], help="what takes the steps")
    add("--weight-decay", type=float, metavar="X", help="of weights, not of biases and norms")
    add("--clip", type=float, metavar="NORM", help="largest norm of the gradients; 0 for any")
    add("--augment", choices=["none", "mirror", "light", "strong", "photo"], help="of batches")
    add("--crop", type=float, metavar="SHARE", help="smallest part of a photo in random cuts")
    add("--mix", choices=MIXES, help="blend or patch images and labels of a batch")
    add("--balance", choices=BALANCES, help="weigh classes alike, in sampling or in the loss")
    add("--label-smoothing", type=float, metavar="SHARE", help="of the targets, 0 to below 1")
    add("--teacher", metavar="none|WEIGHTS", help="model or file whose answers are learnt too")
    add("--patience", type=int, metavar="EPOCHS", help="stop when validation loss stays that long")


def _add_machine(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"], help="default auto")
    add("--devices", type=int, default=1, metavar="N", help="processes a node (default 1)")
    add("--nodes", type=int, default=1, metavar="M", help="machines, started by torchrun")
    add("--strategy", default="ddp", help="how processes share a batch (default ddp)")
    add("--logger", default="csv", choices=LOGGERS, help="besides metrics.csv (default none)")


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The named recipe with the fields that flags replace.

    Raises:
        UsageError: a number is out of range, or flags contradict each other.
    """
    check_ranges(args)
    recipe = recipe_named(args.model, photos=args.data is not None)
    given = {name: getattr(args, name) for name in REPLACEABLE}
    given["size"] = args.image_size
    if args.freeze_backbone or args.unfreeze_after:
        given["frozen_epochs"] = args.unfreeze_after or args.epochs or recipe.epochs
    return dataclasses.replace(
        recipe, **{name: value for name, value in given.items() if value is not None}
    )


def check_ranges(args: argparse.Namespace) -> None:
    """Raises UsageError if a number is out of range, or flags contradict each other."""
    checks = (
        (POSITIVE, lambda value: value > 0, "above 0"),
        (NOT_NEGATIVE, lambda value: value >= 0, "0 or more"),
        (SHARES, lambda value: 0 <= value < 1, "0 to below 1"),
        (("crop",), lambda value: 0 < value <= 1, "above 0 to 1"),
    )
    for names, fits, wanted in checks:
        for name in names:
            value = getattr(args, name)
            if value is not None and not fits(value):
                raise UsageError(f"--{name.replace('_', '-')} must be {wanted}, got {value}")
    if args.devices * args.nodes > 1 and not (args.out or args.resume):
        raise UsageError("several processes need one folder: give --out")
    if args.data and (args.limit_train or args.limit_test or args.data_dir):
        raise UsageError("--limit-train, --limit-test and --data-dir are for Fashion-MNIST alone")


def choose_device(asked: str) -> str:
    """The device to train on; `auto` prefers CUDA, then MPS.

    Raises:
        DeviceError: the device asked for is not there.
    """
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if asked == "auto":
        return next(name for name, there in present.items() if there)
    if not present[asked]:
        have = ", ".join(name for name, there in present.items() if there)
        raise DeviceError(f"no {asked} device here: use --device {have.replace(', ', ' or ')}")
    return asked


def commit() -> str:
    """The commit of this code, "+" behind it when files differ from it; empty outside git."""
    here = Path(__file__).parent
    describe = [
        "git",
        "-C",
        here,
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=+",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(describe, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def open_parts(recipe: Recipe, run: Path, args: argparse.Namespace):
    """The data to learn from; photos are checked, split and indexed in the run's folder.

    Raises:
        DataError: see `index_photos` and `fashion_mnist.load`.
    """
    from training import datasets

    if args.refit:
        return datasets.photo_parts(run, recipe, max_bad=args.max_bad, refit=True)
    if not args.data and not datasets.has_photos(run):
        return datasets.fashion_mnist_parts(
            recipe,
            data_dir=args.data_dir,
            limit_train=args.limit_train,
            limit_test=args.limit_test,
        )
    if args.data and rank() == 0 and not args.resume:
        rules = rules_of(args)
        found = datasets.index_photos(args.data, run, rules, group_column=args.group_column)
        if found.bad:
            print(f"{len(found.bad)} pictures left out: see {run}/data/bad.csv", file=sys.stderr)
    return datasets.photo_parts(run, recipe, max_bad=args.max_bad)


def rank() -> int:
    """This process's number among those that share a run; 0 is the one that writes."""
    return int(os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or 0)


def train(recipe: Recipe, run: Path, parts, args: argparse.Namespace) -> bool:
    """Fit and keep the best and the last checkpoint; False when Ctrl-C ended it early."""
    from lightning.pytorch import seed_everything

    from training.data import Order
    from training.task import ClassifierTask
    from training.trainer import Machine, make_trainer

    seed_everything(args.seed, verbose=False)
    machine = Machine(
        choose_device(args.device), args.devices, args.nodes, args.strategy, args.logger
    )
    task = ClassifierTask(
        recipe,
        classes=parts.classes,
        class_weights=class_weights(parts) if recipe.balance == "loss" else None,
        max_bad=args.max_bad,
    )
    if args.init:
        task.start_from(args.init)
    trainer = make_trainer(recipe, run, machine, best="val_acc" if parts.validation else "epoch")
    order = Order(
        recipe.batch_size,
        args.seed,
        balanced=recipe.balance == "sampling",
        rank=trainer.global_rank,
        world=trainer.world_size,
    )
    try:
        trainer.fit(
            task,
            parts.training.loader(order),
            parts.validation.loader() if parts.validation else None,
            ckpt_path=run / "last.ckpt" if args.resume else None,
            weights_only=True,
        )
    except (KeyboardInterrupt, SystemExit):
        return False
    return trainer.state.finished


def class_weights(parts):
    """Weights of the loss, float32 (classes,), that make every class count alike."""
    counts = parts.training.labels.bincount(minlength=len(parts.classes)).clamp(min=1)
    return counts.sum() / (len(counts) * counts.float())


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    command = shlex.join(["python", "-m", "training.fit", *(sys.argv[1:])])
    task = task_of(args.model, args.resume)
    if task != "classify":
        return _run_other(task, args, command)
    run = _run_folder(args, "last.ckpt")
    recipe = _refitted(args) if args.refit else recipe_of(args)
    run.mkdir(parents=True, exist_ok=True)
    parts = open_parts(recipe, run, args)
    from training import checkpoint

    if rank() == 0:
        checkpoint.write_config(
            run,
            recipe,
            model=args.model,
            seed=args.seed,
            device=args.device,
            **_origin(args, command),
            classes=list(parts.classes),
            limit_train=args.limit_train,
            refit=str(args.refit or ""),
        )
    if not train(recipe, run, parts, args):
        return _stopped(command, run, resumed=bool(args.resume))
    if rank() == 0:
        _finish(run, args)
    return 0


def _origin(args: argparse.Namespace, command: str) -> dict[str, str]:
    """What made the run: its first command and that one's commit, also when it goes on."""
    if not args.resume:
        return {"command": command, "commit": commit()}
    from training.checkpoint import read_config

    _, config = read_config(args.resume)
    return {key: config[key] for key in ("command", "commit")}


def _run_other(task: str, args: argparse.Namespace, command: str) -> int:
    """Train a detector or a parser."""
    check_ranges(args)
    args.device = choose_device(args.device)
    if task == "detect":
        from training.detection.fit import LAST, fit
    else:
        from training.parsing.fit import LAST, fit
    args.out = _run_folder(args, LAST)
    finished = fit(args, _given(args), command=command, commit=commit())
    return 0 if finished else _stopped(command, args.out, resumed=bool(args.resume))


def _run_folder(args: argparse.Namespace, checkpoint: str) -> Path:
    """The run's folder, whether new or resumed, by its last checkpoint.

    Raises:
        UsageError: there is nothing to resume, or the folder holds a run already.
    """
    run = args.resume or args.out
    there = bool(run) and (run / checkpoint).is_file()
    if args.resume and not there:
        raise UsageError(f"--resume {run}: no {checkpoint} in it")
    if there and not args.resume and rank() == 0:
        raise UsageError(f"{run} holds a run already: go on with --resume {run}, or name another")
    return run or Path("runs") / f"{args.model}-{time.strftime('%Y%m%d-%H%M%S')}"


def _given(args: argparse.Namespace) -> set[str]:
    """The names of the flags that differ from their defaults."""
    defaults = vars(parser().parse_args([]))
    return {name for name, value in vars(args).items() if value != defaults[name]}


def _stopped(command: str, run: Path, *, resumed: bool) -> int:
    """Say how an interrupted run goes on; the exit status."""
    again = command if resumed else f"{command} --resume {run}"
    print(f"\nstopped; go on with: {again}", file=sys.stderr)
    return INTERRUPTED


def _refitted(args: argparse.Namespace) -> Recipe:
    """The recipe of the run that --refit names; its index of photos is taken over.

    Raises:
        UsageError: that run did not learn from photos, or is not finished.
    """
    from training.checkpoint import read_config
    from training.datasets import FOLDER, has_photos

    if not has_photos(args.refit) or not (args.refit / "report.json").is_file():
        raise UsageError(f"--refit {args.refit}: not a finished run on photos")
    if not args.out or args.data:
        raise UsageError("--refit needs --out and takes its data from the run")
    changed = [n for n in (*REPLACEABLE, "image_size") if getattr(args, n) is not None]
    if changed or args.freeze_backbone or args.unfreeze_after or args.init or args.model:
        raise UsageError("--refit repeats a recipe: it takes no flag that changes it")
    recipe, config = read_config(args.refit)
    args.model, args.seed = config["model"], config["seed"]
    shutil.copytree(args.refit / FOLDER, args.out / FOLDER, dirs_exist_ok=True)
    return recipe


def _finish(run: Path, args: argparse.Namespace) -> None:
    """Curves, judgement and the registry's row of a run whose training is over."""
    from training import registry, report
    from training.evaluate import judge_run

    rows = report.read_metrics(run / "metrics.csv")
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    print(f"trained {len(rows)} epochs in {minutes:.1f} min; run folder {run}")
    report.plot_curves(run / "curves.png", rows)
    if args.refit:
        figures = json.loads((args.refit / "report.json").read_text())
        text = json.dumps(figures | {"measured_on": BEFORE_REFIT}, indent=1)
        (run / "report.json").write_text(text + "\n")
    else:
        print(judge_run(run, data_dir=args.data_dir, limit=args.limit_test))
    registry.enter(run, rows)


if __name__ == "__main__":
    sys.exit(main())
