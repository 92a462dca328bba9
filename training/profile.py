"""Measures a network: `python -m training.profile --model deep`."""

import sys

from training.classification.settings import ProfileSettings
from training.tasks import run_plain

EXAMPLES = """\
examples:
  python -m training.profile --model deep
  python -m training.profile --model resnet50 --image-size 256 --engine openvino --json out.json"""


def main(argv: list[str] | None = None) -> int:
    return run_plain(
        "profile",
        sys.argv[1:] if argv is None else argv,
        settings=ProfileSettings,
        run=_profile,
        description="Count a network's parameters and multiply-accumulates, and measure its time "
        "and memory.",
        usage="--model NAME",
        examples=EXAMPLES,
    )


def _profile(settings: ProfileSettings) -> str:
    from training.classification.profile import profile_model

    return profile_model(settings)


if __name__ == "__main__":
    sys.exit(main())
