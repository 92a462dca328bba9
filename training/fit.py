"""Trains a recipe: `python -m training.fit --model deep`.

A run folder holds config.json, metrics.csv, curves.png, best.ckpt, last.ckpt and, at the end, the
evaluation: report.md, report.json, confusion.png and more. Every finished run is a row of index.csv
beside its folder.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields, read_fields
from training.common.run_folder import AUTO, RunFlags, newest_run, open_run
from training.common.settings import FitSettings, Machine
from training.common.task import Task
from training.tasks import Command, TaskArguments, first_reading, task_of_recipe, task_of_run

INTERRUPTED = 130
COMMAND = Command(
    "fit",
    "Train a network. Validation chooses the best epoch; the test set is read once, at the end.\n"
    "Flags replace single values of the recipe.",
    "--model NAME",
    """\
examples:
  python -m training.fit --model deep --help                    all flags of a task, with defaults
  python -m training.fit --model deep --out runs/deep           Fashion-MNIST
  python -m training.fit --model photo --data data/clothes      photos, a folder a class
  python -m training.fit --model yolo --data data/canvases/data.yaml
  python -m training.fit --resume auto                          continue the newest run""",
)


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    given = first_reading(COMMAND, argv, flags=[RunFlags])
    if given.get("resume") == AUTO:
        given["resume"] = str(newest_run(given.get("model")))
    task = _task(given)
    arguments = TaskArguments(COMMAND, task, given)
    add_fields(arguments, RunFlags)
    if task is None:
        add_fields(arguments, FitSettings)
        add_fields(arguments, Machine)
        arguments.parse(argv)
        raise UsageError(
            "give --model NAME, a recipe or network; see python -m training.fit --help"
        )
    args = arguments.parse(argv)
    flags = replace(read_fields(RunFlags, args), resume=given.get("resume"))
    command = shlex.join(["python", "-m", "training.fit", *argv])
    run = open_run(flags, model=given.get("model"), checkpoint=task.checkpoint, command=command)
    text = task.fit(args, run)
    if text is not None:
        print(text)
        return 0
    again = command if run.resumed else f"{command} --resume {run.folder}"
    print(f"\nstopped; resume with: {again}", file=sys.stderr)
    return INTERRUPTED


def _task(given: Mapping[str, str]) -> Task | None:
    """The task of the flags that choose it; None without them."""
    for name in ("resume", "refit"):
        if name in given:
            return task_of_run(Path(given[name]))
    return task_of_recipe(given["model"]) if "model" in given else None


if __name__ == "__main__":
    sys.exit(main())
