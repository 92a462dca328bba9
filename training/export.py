"""Publishes a run's best network: `python -m training.export runs/deep`.

Writes weights/NAME.onnx with the metadata inside, compares what its graph gives with what torch
makes of its tensors, and enters it in the manifest.
"""

import sys

from training.tasks import Command, run_command, task_to_export

COMMAND = Command(
    "export",
    "Publish the best network of a finished run: NAME.onnx and its entry in the manifest. The\n"
    "outputs of its graph and of its tensors in torch are compared.",
    "RUN",
    """\
examples:
  python -m training.export runs/deep --help                    all flags of a task, with defaults
  python -m training.export runs/deep
  python -m training.export runs/photo --out my-weights""",
)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        COMMAND,
        sys.argv[1:] if argv is None else argv,
        choose=task_to_export,
        run=lambda task, args: task.export(args),
    )


if __name__ == "__main__":
    sys.exit(main())
