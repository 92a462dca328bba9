"""Predicts for pictures: `python -m training.predict --model WEIGHTS --input DIR -o out.csv`."""

import sys
from collections.abc import Sequence

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields
from training.common.settings import PredictSettings
from training.common.task import PredictTask
from training.inference import weights
from training.tasks import TASKS, Command, TaskArguments, first_reading

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
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    given = first_reading(COMMAND, argv)
    task = TASKS[weights.locate(given["model"])[1].task] if "model" in given else None
    if task is None:
        arguments = TaskArguments(COMMAND, None, given)
        add_fields(arguments, PredictSettings)
        arguments.parse(argv)
        raise UsageError("give --model NAME; see python -m training.predict --help")
    if not isinstance(task, PredictTask):
        raise UsageError(f"--model {given['model']}: training.predict is not for {task.title}; the "
                         "live app runs them")  # fmt: skip
    print(task.predict(TaskArguments(COMMAND, task, given).parse(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
