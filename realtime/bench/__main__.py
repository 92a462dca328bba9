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


def main(argv: list[str] | None = None) -> int:
    defaults = BenchSettings()
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.bench",
        description="Time the app beside simpler programs, and its parts alone; what it keeps.",
        epilog="experiments:\n"
        + "\n".join(f"  {name:16s}{row.title}" for name, row in EXPERIMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("experiment", nargs="?", default="loops", choices=EXPERIMENTS, metavar="EXPERIMENT",
        help="one of those below (default loops)")  # fmt: skip
    add("--frames", type=int, default=defaults.frames, metavar="N",
        help=f"frames of a clip (default {defaults.frames})")  # fmt: skip
    add("--rounds", type=int, default=defaults.rounds, metavar="N",
        help=f"runs of each program, histories of archive (default {defaults.rounds})")  # fmt: skip
    add("--seconds", type=float, default=defaults.seconds, metavar="S",
        help="running time of the source in latency, live, streams, soak and page, of requests in "
        f"siege and fuzz (default {defaults.seconds:g})")  # fmt: skip
    add("--seed", type=int, default=defaults.seed, metavar="N",
        help=f"of the requests in fuzz (default {defaults.seed})")  # fmt: skip
    add("--clip", type=Path, metavar="FILE", help="what the cameras of streams show (the demo)")
    add("--plot", type=Path, metavar="FILE.png", help="plot of the table of loops, copies or yolo")
    add("--json", type=Path, metavar="FILE", help="every cell of fidelity or fidelity-peers")
    values = vars(arguments.parse_args(argv))
    experiment = values.pop("experiment")
    return exit_status(lambda: _run(experiment, BenchSettings(**values)))


def _run(name: str, settings: BenchSettings) -> int:
    if min(settings.frames, settings.rounds) < 1 or settings.seconds <= 0:
        raise UsageError("--frames and --rounds must be at least 1, --seconds above 0")
    print(f"{platform.machine()}, {settings.frames} frames, {settings.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        EXPERIMENTS[name].run(Path(folder), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
