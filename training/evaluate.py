"""Evaluates a trained network: `python -m training.evaluate --model deep`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields
from training.common.run_folder import CONFIG
from training.common.settings import EvaluateSettings
from training.common.task import Task
from training.inference import weights
from training.tasks import TASKS, Command, TaskArguments, first_reading, task_of_run

COMMAND = Command(
    "evaluate",
    "Evaluate a model and write a report: a classifier on Fashion-MNIST or photos, a detector on\n"
    "labelled boxes, a parser on masks, attributes on a table, DeepFashion on its lists.",
    "--model NAME",
    """\
examples:
  python -m training.evaluate --model deep --help               all flags of a task, with defaults
  python -m training.evaluate --model deep                      the Fashion-MNIST test set
  python -m training.evaluate --model photo --data data/clothes
  python -m training.evaluate --model yolo --data data/canvases/data.yaml""",
)


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    given = first_reading(COMMAND, argv)
    task = task_of_model(given["model"]) if "model" in given else None
    arguments = TaskArguments(COMMAND, task, given)
    if task is None:
        add_fields(arguments, EvaluateSettings)
        arguments.parse(argv)
        raise UsageError("give --model NAME; see python -m training.evaluate --help")
    print(task.evaluate(arguments.parse(argv)))
    return 0


def task_of_model(model: str) -> Task:
    """The task of a committed model's name, of a weight file or of a run folder.

    Raises:
        WeightsError, UsageError: there is none.
    """
    if (Path(model) / CONFIG).is_file():
        return task_of_run(Path(model))
    return TASKS[weights.locate(model)[1].task]


if __name__ == "__main__":
    sys.exit(main())
