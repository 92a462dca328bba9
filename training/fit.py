"""Trains a recipe: `python -m training.fit --model deep`.

A run folder holds config.json, metrics.csv, curves.png, best.ckpt, last.ckpt and, at the end, the
test set's report.txt, report.json, confusion.png and mistakes.png.
"""

import argparse
import dataclasses
import shlex
import subprocess
import sys
import time
from pathlib import Path

from preprocessing.command import exit_status
from preprocessing.errors import DeviceError, UsageError
from training.recipes import RECIPES, Recipe

REPLACEABLE = ("epochs", "batch_size", "lr", "schedule", "augment", "label_smoothing")
INTERRUPTED = 130


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Train a network. Validation chooses the best epoch; the test set is read "
        "once, at the end. What is not given comes from the recipe (training/recipes.py).",
    )
    add = parser.add_argument
    add("--model", required=True, choices=sorted(RECIPES), help="the recipe")
    add("--epochs", type=int, help="passes over the training images")
    add("--batch-size", type=int, help="images a step")
    add("--lr", type=float, help="highest learning rate")
    add(
        "--schedule", choices=["plateau", "onecycle", "cosine", "step"], help="of the learning rate"
    )
    add("--augment", choices=["none", "mirror", "light", "strong"], help="of training batches")
    add("--label-smoothing", type=float, metavar="SHARE", help="of the targets, 0 to below 1")
    add("--init", type=Path, metavar="RUN", help="start from the best weights of this finished run")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (default 0)")
    add("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"], help="default auto")
    add("--data-dir", help="folder of the four Fashion-MNIST files")
    add("--out", type=Path, help="run folder (default runs/MODEL-DATE)")
    add("--resume", type=Path, metavar="RUN", help="go on with this run folder's last checkpoint")
    add("--limit-train", type=int, metavar="N", help="train and validate on the first N images")
    add("--limit-test", type=int, metavar="N", help="test on the first N images")
    return parser.parse_args(argv)


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The named recipe with the fields that flags replace.

    Raises:
        UsageError: a number is not positive.
    """
    for name in ("epochs", "batch_size", "lr", "limit_train", "limit_test"):
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise UsageError(f"--{name.replace('_', '-')} must be above 0, got {value}")
    if args.label_smoothing is not None and not 0 <= args.label_smoothing < 1:
        raise UsageError(f"--label-smoothing must be 0 to below 1, got {args.label_smoothing}")
    given = {name: getattr(args, name) for name in REPLACEABLE}
    return dataclasses.replace(
        RECIPES[args.model], **{name: value for name, value in given.items() if value is not None}
    )


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


def train(recipe: Recipe, run: Path, args: argparse.Namespace) -> bool:
    """Fit and keep the best and the last checkpoint; False when Ctrl-C ended it early."""
    from lightning.pytorch import seed_everything

    from training import data
    from training.task import ClassifierTask
    from training.trainer import make_trainer

    seed_everything(args.seed, verbose=False)
    training, validation = data.training_splits(args.data_dir, limit=args.limit_train)
    task = ClassifierTask(recipe, classes=len(data.CLASSES))
    if args.init:
        task.start_from(args.init)
    trainer = make_trainer(recipe, run, device=choose_device(args.device))
    last = run / "last.ckpt"
    try:
        trainer.fit(
            task,
            training.loader(recipe.batch_size, seed=args.seed),
            validation.loader(),
            ckpt_path=last if args.resume else None,
            weights_only=True,
        )
    except (KeyboardInterrupt, SystemExit):
        return False
    return trainer.state.finished


def judge(run: Path, args: argparse.Namespace) -> None:
    """Score the best checkpoint on the test set, once, and write the report."""
    from training.evaluate import evaluate, write_report

    evaluation = evaluate(run, data_dir=args.data_dir, limit=args.limit_test)
    print(write_report(evaluation, run))


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    recipe = recipe_of(args)
    run = args.resume or args.out or Path("runs") / f"{args.model}-{time.strftime('%Y%m%d-%H%M%S')}"
    if args.resume and not (run / "last.ckpt").is_file():
        raise UsageError(f"--resume {run}: no last.ckpt in it")
    run.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", "training.fit", *(sys.argv[1:])])
    from training import checkpoint, data, report

    checkpoint.write_config(
        run,
        recipe,
        model=args.model,
        seed=args.seed,
        device=args.device,
        command=command,
        commit=commit(),
        classes=list(data.CLASSES),
        limit_train=args.limit_train,
    )
    if not train(recipe, run, args):
        again = command if args.resume else f"{command} --resume {run}"
        print(f"\nstopped; go on with: {again}", file=sys.stderr)
        return INTERRUPTED
    rows = report.read_metrics(run / "metrics.csv")
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    print(f"trained {len(rows)} epochs in {minutes:.1f} min; run folder {run}")
    report.plot_curves(run / "curves.png", rows)
    judge(run, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
