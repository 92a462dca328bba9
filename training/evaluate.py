"""Evaluates a trained network: `python -m training.evaluate --model deep`."""

import sys

from training.tasks import Command, run_command, task_of_model

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
    return run_command(
        COMMAND,
        sys.argv[1:] if argv is None else argv,
        choose=task_of_model,
        run=lambda task, args: task.evaluate(args),
    )


if __name__ == "__main__":
    sys.exit(main())
