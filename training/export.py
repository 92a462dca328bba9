"""Publishes a run's best network: `python -m training.export runs/deep`.

Writes weights/NAME.safetensors and weights/NAME.onnx, both with the metadata inside, compares the
outputs of the two, and enters them in the manifest.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from preprocessing.errors import exit_status
from preprocessing.flags import add_fields
from training.common.settings import ExportSettings
from training.tasks import Command, TaskArguments, first_reading, task_of_run

COMMAND = Command(
    "export",
    "Publish the best network of a finished run: NAME.safetensors, NAME.onnx and their entry in\n"
    "the manifest. The outputs of the two files are compared.",
    "RUN",
    """\
examples:
  python -m training.export runs/deep --help                    all flags of a task, with defaults
  python -m training.export runs/deep
  python -m training.export runs/photo --out my-weights""",
)


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    given = first_reading(COMMAND, argv)
    task = task_of_run(Path(given["run"])) if given.get("run") else None
    arguments = TaskArguments(COMMAND, task, given)
    if task is None:
        add_fields(arguments, ExportSettings)
    args = arguments.parse(argv)
    if task is not None:
        print(task.export(args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
