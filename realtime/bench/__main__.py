"""Benchmarks of the app on this machine: `python -m realtime.bench`.

Whole processes run interleaved, A B B A; the app against itself shows the noise. Compare ratios of
one run: absolute figures change with the machine and its load.
"""

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from preprocessing.errors import UsageError, exit_status
from realtime.bench.experiments import EXPERIMENTS
from realtime.bench.settings import BenchSettings
from realtime.bench.speed.plan import GROUPS, PEOPLE

DEFAULT = "side-by-side"


def main(argv: list[str] | None = None) -> int:
    values = vars(_arguments().parse_args(argv))
    experiment = values.pop("experiment")
    if values["frames"] is None:
        values["frames"] = EXPERIMENTS[experiment].frames
    values["groups"] = tuple(filter(None, values["groups"].split(",")))
    return exit_status(lambda: _run(experiment, BenchSettings(**values)))


def _arguments() -> argparse.ArgumentParser:
    defaults = BenchSettings()
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.bench",
        description="Time the app beside simpler programs, and its parts alone; what it keeps.",
        epilog="experiments:\n"
        + "\n".join(f"  {name:16s}{row.title}" for name, row in EXPERIMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("experiment", nargs="?", default=DEFAULT, choices=EXPERIMENTS, metavar="EXPERIMENT",
        help=f"one of those below (default {DEFAULT})")  # fmt: skip
    add("--frames", type=int, metavar="N",
        help=f"frames of a clip (default {defaults.frames}; "
        f"{DEFAULT} {EXPERIMENTS[DEFAULT].frames})")  # fmt: skip
    add("--rounds", type=int, default=defaults.rounds, metavar="N",
        help=f"runs of each program, histories of archive (default {defaults.rounds})")  # fmt: skip
    add("--seconds", type=float, default=defaults.seconds, metavar="S",
        help="running time of the source in latency, live, streams, soak and page, of requests in "
        f"siege and fuzz (default {defaults.seconds:g})")  # fmt: skip
    add("--seed", type=int, default=defaults.seed, metavar="N",
        help=f"of the requests in fuzz (default {defaults.seed})")  # fmt: skip
    add("--plot", type=Path, metavar="FILE.png", help="plot of the table of loops, copies or yolo")
    add("--json", type=Path, metavar="FILE",
        help=f"every cell of fidelity or fidelity-peers; every run of {DEFAULT}, which goes on "
        "with those that are there")  # fmt: skip
    _add_page(arguments.add_argument_group(DEFAULT), defaults)
    return arguments


def _add_page(group: argparse._ArgumentGroup, defaults: BenchSettings) -> None:
    add = group.add_argument
    add("--html", type=Path, metavar="FILE", help="page with plots, tables and commands")
    add("--minutes", type=float, default=defaults.minutes, metavar="M",
        help="after which no run starts; 0 for the page of the figures in --json alone "
        f"(default {defaults.minutes:g})")  # fmt: skip
    add("--groups", default="", metavar="A,B,...",
        help=f"some of {', '.join(GROUPS)} (default all)")  # fmt: skip
    add("--video", type=Path, metavar="FILE",
        help="clip of a person to time the programs on (default a composed person of --data, else "
        "the bundled demo)")  # fmt: skip
    add("--data", type=Path, metavar="DIR",
        help="people with masks (photos/, masks/, labels.csv), to compose scenes of 0 to "
        f"{max(PEOPLE)} people")  # fmt: skip


def _run(name: str, settings: BenchSettings) -> int:
    if min(settings.frames, settings.rounds) < 1 or settings.seconds <= 0:
        raise UsageError("--frames and --rounds must be at least 1, --seconds above 0")
    if settings.minutes < 0:
        raise UsageError("--minutes must be at least 0")
    print(f"{platform.machine()}, {settings.frames} frames, {settings.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        EXPERIMENTS[name].run(Path(folder), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
