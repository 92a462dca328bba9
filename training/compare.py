"""Compares runs, every figure measured: `python -m training.compare runs/index.csv`."""

import sys
from collections.abc import Sequence

from preprocessing.errors import exit_status
from preprocessing.flags import add_fields, read_fields
from training.classification.settings import CompareSettings
from training.tasks import CommandArguments

DESCRIPTION = (
    "Profile the classifiers of an index of runs, and write compare.md, compare.csv and "
    "compare.png."
)
EPILOG = """\
examples:
  python -m training.compare
  python -m training.compare runs/index.csv --data photos --out out/photos"""


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    arguments = CommandArguments("compare", DESCRIPTION, "[INDEX]", epilog=EPILOG)
    add_fields(arguments, CompareSettings)
    settings = read_fields(CompareSettings, arguments.parse(argv))
    from training.classification.comparison import compare

    print(compare(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
