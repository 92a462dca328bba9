"""Frames that several cameras of one command are looked at, in all: the app as a whole process."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from realtime.bench.speed.measure import ROOT
from realtime.sources.addresses import FAKE_SCHEME


@dataclass(frozen=True)
class Streams:
    """Several cameras that were looked at together.

    Attributes:
        rate: frames a second of all together, dropped ones not counted.
        written, dropped: frames of all.
        stages: milliseconds a frame that each stage took on average, waiting included.
    """

    rate: float
    written: int
    dropped: int
    stages: dict[str, float]

    def __str__(self) -> str:
        taken = ", ".join(f"{name} {value:.1f}" for name, value in self.stages.items())
        return (f"{self.rate:.0f} frames a second in all, {self.dropped} dropped of "
                f"{self.written + self.dropped}; ms a frame: {taken}")  # fmt: skip


def measure_streams(
    folder: Path,
    *,
    streams: int,
    rate: float,
    seconds: float,
    clip: Path | None = None,
    flags: Sequence[str] = (),
) -> Streams:
    """Run the app on so many simulated cameras, into rows.

    Args:
        rate: frames a second of each.
        clip: that they show, in place of the demo.
        flags: of the app.

    Raises:
        CalledProcessError: it failed.
    """
    shown = f"&clip={quote(str(clip), safe='')}" if clip else ""
    cameras = [
        f"{FAKE_SCHEME}{rate:g}fps?for={seconds:g}s&name={number}{shown}"
        for number in range(streams)
    ]
    rows, stats = folder / "rows", folder / "stats"
    command = [sys.executable, str(ROOT / "run_realtime.py"), *cameras, "--jsonl", str(rows),
               "--stats", str(stats), *flags]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    reports = sorted(stats.iterdir()) if stats.is_dir() else [stats]  # of several cameras, or one
    return total([json.loads(path.read_text()) for path in reports])


def total(reports: Sequence[dict]) -> Streams:
    """The figures of all cameras, from the reports of --stats."""
    frames = [report["frames"] for report in reports]
    times: dict[str, float] = {}
    for report in reports:
        for name, stage in report["stages_ms"].items():
            times[name] = times.get(name, 0.0) + stage.get("count", 0) * stage.get("mean", 0.0)
    written = sum(one["written"] for one in frames)
    return Streams(
        rate=round(sum(report["fps"] or 0.0 for report in reports), 1),
        written=written,
        dropped=sum(one["dropped"] for one in frames),
        stages={name: round(taken / max(written, 1), 2) for name, taken in times.items()},
    )
