"""Predicts for pictures: `python -m training.predict --model WEIGHTS --input DIR -o out.csv`."""

import sys
from argparse import Namespace

from training.common.task import PredictTask, Task
from training.tasks import Command, run_command, task_of_model

COMMAND = Command(
    "predict",
    "Write the predictions of a model for pictures or the frames of a video, a row each.",
    "--model NAME --input PATH",
    """\
examples:
  python -m training.predict --model my-weights/attributes.onnx --input photos -o out.csv
  python -m training.predict --model my-weights/deepfashion.onnx --help""",
)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        COMMAND,
        sys.argv[1:] if argv is None else argv,
        choose=task_of_model,
        run=_predict,
    )


def _predict(task: Task, args: Namespace) -> str:
    assert isinstance(task, PredictTask)  # run_command refuses others
    return task.predict(args)


if __name__ == "__main__":
    sys.exit(main())
