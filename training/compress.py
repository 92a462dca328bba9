"""Makes a smaller or faster weight file: `python -m training.compress --model deep --to int8`."""

import sys
from argparse import Namespace

from training.common.task import CompressTask, Task
from training.tasks import Command, run_command, task_of_model

COMMAND = Command(
    "compress",
    "Compress a model, and publish it as NAME-fp16 or NAME-int8 if it keeps its accuracy.",
    "--model NAME --to fp16|int8",
    """\
examples:
  python -m training.compress --model deep --help               all flags, with defaults
  python -m training.compress --model deep --to int8
  python -m training.compress --model photo --to int8 --data data/clothes --max-drop 1""",
)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        COMMAND,
        sys.argv[1:] if argv is None else argv,
        choose=task_of_model,
        run=_compress,
    )


def _compress(task: Task, args: Namespace) -> str:
    assert isinstance(task, CompressTask)  # run_command refuses others
    return task.compress(args)


if __name__ == "__main__":
    sys.exit(main())
