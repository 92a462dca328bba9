"""Trains a recipe: `python -m training.fit --model deep`.

A run folder holds config.json, metrics.csv, curves.png, best.ckpt, last.ckpt and, at the end, the
judgement: report.md, report.json, confusion.png and more. Every finished run is a row of index.csv
beside its folder.
"""

import argparse
import importlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from preprocessing.command import exit_status
from preprocessing.datasets.split_rules import rules_of
from preprocessing.errors import DeviceError, UsageError
from training.classification.recipes import CONFIG, Recipe
from training.common.flags import changes_recipe, check_ranges, given_flags, parser, recipe_of
from training.tasks import MODULES, task_of

INTERRUPTED = 130
RUNS, AUTO = Path("runs"), Path("auto")
BEFORE_REFIT = "before the refit"  # what a refitted run's figures were measured on


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
    from training.classification import data

    if args.refit:
        return data.photo_parts(run, recipe, max_bad=args.max_bad, refit=True)
    if not args.data and not data.has_photos(run):
        photos = ()
        if args.photos:
            photos = data.real_garments(
                args.photos, run, group_column=args.group_column, seed=args.seed
            )
        return data.fashion_mnist_parts(
            recipe,
            data_dir=args.data_dir,
            limit_train=args.limit_train,
            limit_test=args.limit_test,
            photos=photos,
        )
    if args.data and rank() == 0 and not args.resume:
        rules = rules_of(args)
        found = data.index_photos(args.data, run, rules, group_column=args.group_column)
        if found.bad:
            print(f"{len(found.bad)} pictures left out: see {run}/data/bad.csv", file=sys.stderr)
    return data.photo_parts(run, recipe, max_bad=args.max_bad)


def rank() -> int:
    """This process's number among those that share a run; 0 is the one that writes."""
    return int(os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or 0)


def train(recipe: Recipe, run: Path, parts, args: argparse.Namespace) -> bool:
    """Fit and keep the best and the last checkpoint; False when Ctrl-C ended it early."""
    from lightning.pytorch import seed_everything

    from training.classification.module import ClassifierTask
    from training.common.checkpoints import load_best
    from training.common.data_parts import Order
    from training.common.trainer import Machine, fitted, make_trainer

    seed_everything(args.seed, verbose=False)
    machine = Machine(
        choose_device(args.device),
        args.devices,
        args.nodes,
        args.strategy,
        args.logger,
        args.precision,
    )
    task = ClassifierTask(
        recipe,
        classes=parts.classes,
        class_weights=class_weights(parts) if recipe.balance == "loss" else None,
        max_bad=args.max_bad,
    )
    if args.init:
        load_best(args.init, task.network).train()
    trainer = make_trainer(recipe, run, machine, best="val_acc" if parts.validation else "epoch")
    order = Order(
        recipe.batch_size,
        args.seed,
        balanced=recipe.balance == "sampling",
        rank=trainer.global_rank,
        world=trainer.world_size,
    )
    return fitted(
        trainer,
        task,
        parts.training.loader(order),
        parts.validation.loader() if parts.validation else None,
        checkpoint=run / "last.ckpt" if args.resume else None,
    )


def class_weights(parts):
    """Weights of the loss, float32 (classes,), that make every class count alike."""
    counts = parts.training.labels.bincount(minlength=len(parts.classes)).clamp(min=1)
    return counts.sum() / (len(counts) * counts.float())


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    command = shlex.join(["python", "-m", "training.fit", *(sys.argv[1:])])
    if args.resume == AUTO:
        args.resume = newest_run(args.model)
    task = task_of(args.model, args.resume)
    if task != "classify":
        return _run_other(task, args, command)
    run = _run_folder(args, "last.ckpt")
    recipe = _refitted(args) if args.refit else recipe_of(args)
    run.mkdir(parents=True, exist_ok=True)
    parts = open_parts(recipe, run, args)
    from training.common import checkpoints

    if rank() == 0:
        checkpoints.write_config(
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


def newest_run(model: str | None) -> Path:
    """The run of a model in runs/ whose config was written last.

    Raises:
        UsageError: there is none.
    """
    configs = sorted(RUNS.glob(f"*/{CONFIG}"), key=lambda path: path.stat().st_mtime)
    of_model = [p for p in configs if model in (None, json.loads(p.read_text()).get("model"))]
    if not of_model:
        raise UsageError(f"--resume auto: no run of {model or 'anything'} in {RUNS}/")
    return of_model[-1].parent


def _origin(args: argparse.Namespace, command: str) -> dict[str, str]:
    """What made the run: its first command and that one's commit, also when it goes on."""
    if not args.resume:
        return {"command": command, "commit": commit()}
    from training.common.checkpoints import read_config

    _, config = read_config(args.resume)
    return {key: config[key] for key in ("command", "commit")}


def _run_other(task: str, args: argparse.Namespace, command: str) -> int:
    """Train something else than a classifier."""
    check_ranges(args)
    args.device = choose_device(args.device)
    module = importlib.import_module(MODULES[task])
    args.out = _run_folder(args, module.LAST)
    finished = module.fit(args, given_flags(args), command=command, commit=commit())
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
    return run or RUNS / f"{args.model}-{time.strftime('%Y%m%d-%H%M%S')}"


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
    from training.classification.data import FOLDER, has_photos
    from training.common.checkpoints import read_config

    if not has_photos(args.refit) or not (args.refit / "report.json").is_file():
        raise UsageError(f"--refit {args.refit}: not a finished run on photos")
    if not args.out or args.data:
        raise UsageError("--refit needs --out and takes its data from the run")
    if args.model or changes_recipe(args):
        raise UsageError("--refit repeats a recipe: it takes no flag that changes it")
    recipe, config = read_config(args.refit)
    args.model, args.seed = config["model"], config["seed"]
    shutil.copytree(args.refit / FOLDER, args.out / FOLDER, dirs_exist_ok=True)
    return recipe


def _finish(run: Path, args: argparse.Namespace) -> None:
    """Curves, judgement and the registry's row of a run whose training is over."""
    from training.common import reports, run_index
    from training.evaluate import judge_run

    rows = reports.read_metrics(run / "metrics.csv")
    print(f"trained {len(rows)} epochs in {run_index.minutes(rows)} min; run folder {run}")
    reports.plot_curves(run / "curves.png", rows)
    if args.refit:
        figures = json.loads((args.refit / "report.json").read_text())
        text = json.dumps(figures | {"measured_on": BEFORE_REFIT}, indent=1)
        (run / "report.json").write_text(text + "\n")
    else:
        print(judge_run(run, data_dir=args.data_dir, limit=args.limit_test))
    run_index.enter(run, rows)


if __name__ == "__main__":
    sys.exit(main())
