"""Measures a network: `python -m training.profile --model deep`."""

import sys
from collections.abc import Sequence

from preprocessing.errors import exit_status
from preprocessing.flags import add_fields, read_fields
from training.classification.settings import ProfileSettings
from training.tasks import CommandArguments

DESCRIPTION = (
    "Count a network's parameters and multiply-accumulates, and measure its time and memory."
)
EPILOG = """\
examples:
  python -m training.profile --model deep
  python -m training.profile --model resnet50 --image-size 256 --engine openvino --json out.json"""


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    arguments = CommandArguments("profile", DESCRIPTION, "--model NAME", epilog=EPILOG)
    add_fields(arguments, ProfileSettings)
    settings = read_fields(ProfileSettings, arguments.parse(argv))
    from training.classification.profile import profile_model

    print(profile_model(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
