"""Averages two runs of one network: `python -m training.average runs/a runs/b --out runs/c`.

The second run started from the first (`--init`): the mean of their weights keeps what the first
knew of other scenes beside what the second learnt (Wortsman et al. 2022, arXiv 2109.01903).
"""

import shlex
import sys
from collections.abc import Sequence

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import add_fields, read_fields
from training.common.run_folder import CONFIG, Run, commit
from training.common.settings import AverageSettings
from training.tasks import Command, TaskArguments, task_of_run

COMMAND = Command(
    "average",
    "Average the best weights of a run and of one that started from it. Publish the result with\n"
    "training.export; a classifier is evaluated at once.",
    "FIRST SECOND --out RUN",
)


def main(argv: list[str] | None = None) -> int:
    return exit_status(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    arguments = TaskArguments(COMMAND, None, {})
    add_fields(arguments, AverageSettings)
    settings = read_fields(AverageSettings, arguments.parse(argv))
    if (settings.out / CONFIG).exists():
        raise UsageError(f"{settings.out} holds a run already: give another --out")
    command = shlex.join(["python", "-m", "training.average", *argv])
    run = Run(settings.out, resumed=False, command=command, commit=commit())
    print(task_of_run(settings.second).average(settings, run))
    print(f"wrote {settings.out}; publish it with python -m training.export {settings.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
