"""Averages two runs of one network: `python -m training.average runs/a runs/b --out runs/c`.

The second run started from the first (`--init`): the mean of their weights keeps what the first
knew of other scenes beside what the second learnt (Wortsman et al. 2022, arXiv 2109.01903).
"""

import shlex
import sys

from training.common.runs import new_run
from training.common.settings import AverageSettings
from training.tasks import run_plain, task_of_run


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    command = shlex.join(["python", "-m", "training.average", *argv])

    def average(settings: AverageSettings) -> str:
        run = new_run(settings.out, command=command)
        text = task_of_run(settings.second).average(settings, run)
        return f"{text}\nwrote {run.folder}; publish it with python -m training.export {run.folder}"

    return run_plain(
        "average",
        argv,
        settings=AverageSettings,
        run=average,
        description="Average the best weights of a run and of one that started from it. A\n"
        "classifier is evaluated at once.",
        usage="FIRST SECOND --out RUN",
        examples="example:\n  python -m training.average runs/deep runs/real --out runs/mean",
    )


if __name__ == "__main__":
    sys.exit(main())
