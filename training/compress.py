"""Makes a smaller or faster weight file: `python -m training.compress --model deep --to int8`."""

import sys
from collections.abc import Sequence

from preprocessing.errors import UsageError, exit_status
from training.common.task import CompressTask
from training.inference import weights
from training.tasks import TASKS, Command, TaskArguments, first_reading

COMMAND = Command(
    "compress",
    "Compress a model, and publish it as NAME-fp16 or NAME-int8 if it keeps its accuracy.",
    "--model NAME --to fp16|int8",
    """\
examples:
  python -m training.compress --model deep --to int8
  python -m training.compress --model photo --to int8 --data data/clothes --max-drop 1""",
)


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    given = first_reading(COMMAND, argv)
    if "model" not in given:
        TaskArguments(COMMAND, COMMAND.tasks[0], given).parse(argv)
    task = TASKS[weights.locate(given["model"])[1].task]
    if not isinstance(task, CompressTask):
        raise UsageError(f"--model {given['model']}: {task.title} cannot be compressed")
    print(task.compress(TaskArguments(COMMAND, task, given).parse(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
