"""Trains a recipe: `python -m training.fit --model deep`.

A run folder holds config.json, metrics.csv, curves.png, best.ckpt, last.ckpt and, at the end, the
evaluation: report.md, report.json, confusion.png and more. Every finished run is a row of index.csv
beside its folder.
"""

import shlex
import sys
from argparse import Namespace

from training.common.runs import open_run
from training.common.task import Task
from training.tasks import Command, run_command, task_to_fit

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
    argv = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "-m", "training.fit", *argv])

    def fit(task: Task, args: Namespace) -> str | None:
        run = open_run(args, checkpoint=task.checkpoint, command=command)
        text = task.fit(args, run)
        if text is None:
            again = command if run.resumed else f"{command} --resume {run.folder}"
            print(f"\nstopped; resume with: {again}", file=sys.stderr)
        return text

    return run_command(COMMAND, argv, choose=task_to_fit, run=fit)


if __name__ == "__main__":
    sys.exit(main())
