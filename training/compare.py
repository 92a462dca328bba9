"""Compares runs, every figure measured: `python -m training.compare runs/index.csv`."""

import sys

from training.classification.settings import CompareSettings
from training.tasks import run_plain

EXAMPLES = """\
examples:
  python -m training.compare
  python -m training.compare runs/index.csv --data photos --out out/photos"""


def main(argv: list[str] | None = None) -> int:
    return run_plain(
        "compare",
        sys.argv[1:] if argv is None else argv,
        settings=CompareSettings,
        run=_compare,
        description="Profile the classifiers of an index of runs, and write compare.md, "
        "compare.csv and compare.png.",
        usage="[INDEX]",
        examples=EXAMPLES,
    )


def _compare(settings: CompareSettings) -> str:
    from training.classification.profile import compare

    return compare(settings)


if __name__ == "__main__":
    sys.exit(main())
