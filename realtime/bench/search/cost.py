"""The cost of an index: `python -m realtime.bench.search.cost --video FILE`.

The app with and without --index, by turns (A B B A), whole processes: processor time (user and
system, which other programs' load changes least) and frames a second. Prints the bytes of the
index, and of a day of such footage.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from realtime.bench.speed.measure import ROOT

DAY = 86_400  # seconds


@dataclass(frozen=True, kw_only=True)
class CostSettings:
    """The video, and how often it is run."""

    video: Annotated[Path, Flag("video", metavar="FILE")]
    rounds: Annotated[int, Flag("runs of each", POSITIVE, "N")] = 4
    flags: Annotated[
        tuple[str, ...], Flag("more flags of the app, e.g. --flags=--locate,yolo", metavar="A,B")
    ] = ()


def run(settings: CostSettings, folder: Path, *flags: str) -> tuple[float, float]:
    """Processor seconds and frames a second of one run of the app."""
    stats = folder / "stats.json"
    command = [sys.executable, str(ROOT / "run_realtime.py"), str(settings.video)]
    command += ["--stats", str(stats), "--jsonl", str(folder / "rows.jsonl")]
    command += [*settings.flags, *flags]
    import resource  # which Windows lacks

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, json.loads(stats.read_text())["fps"]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.search.cost", description="Measure what an index costs."
    )
    add_fields(arguments, CostSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(CostSettings, args)))


def _run(settings: CostSettings) -> int:
    figures: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number in range(2 * settings.rounds):
            with_index = number % 4 in (1, 2)
            flags = ("--index", str(folder / f"index{number}")) if with_index else ()
            figures[with_index].append(run(settings, folder, *flags))
        index = folder / "index1"
        size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    seconds = _seconds(settings.video)
    (used, fps), (more, less) = (
        (median(one[0] for one in some), median(one[1] for one in some))
        for some in figures.values()
    )
    print(f"processor seconds {used:.2f}, with the index {more:.2f} ({more / used - 1:+.1%}); "
          f"fps {fps:.1f}, {less:.1f} ({less / fps - 1:+.1%})")  # fmt: skip
    print(f"index {size} bytes of {seconds:.0f} s: {size / seconds * DAY / 1e6:.1f} MB a day")
    return 0


def _seconds(video: Path) -> float:
    """The length of a video."""
    import av

    with av.open(str(video)) as container:
        assert container.duration is not None, "a file that says how long it is"
        return container.duration / av.time_base


if __name__ == "__main__":
    sys.exit(main())
