"""Long runs: growth of memory, threads and open files, and lost frames.

A day is run at speed by a clock of its own: tiny frames, whose sinks are those of a recording.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from unittest import mock

import av
import numpy as np

from preprocessing.errors import BrokenSourceError, UsageError
from realtime.bench.speed.clips import Clip, build, looped
from realtime.bench.speed.measure import ROOT
from realtime.bench.speed.peers import app
from realtime.runtime.stats import Stats
from realtime.sinks import report
from realtime.sinks.delivery import delivering
from realtime.sinks.sink_table import OutputSettings, make_sinks
from realtime.sources.addresses import FAKE_SCHEME
from realtime.sources.source import TIME_BASE
from realtime.types import Frame, Garment, Label, LabelledFrame, Region, SourceInfo

SAMPLES = 100  # of a process while it runs, or a little fewer
LOOP = 600  # frames of a clip that is looped
SETTLED = 0.1  # of a run, before which its memory does not count
CAMERA_RATE = 150  # frames a second
BREAK_EVERY = 1000  # frames between the camera's drop-outs
DAY_RATE = 30  # frames a second
DAY_FRAMES = 24 * 3600 * DAY_RATE
SHOWN_FRAMES = 100  # of a garment, then another one follows: the report is full at once
RECONNECT = "2"  # seconds; also spent waiting for the camera after its end


@dataclass(frozen=True)
class Resources:
    """A process at one moment: frames done, resident memory in MB, threads, open files."""

    frame: int
    memory: float
    threads: int
    files: int


def memory(folder: Path, frames: int) -> str:
    """The growth over a clip of so many frames, each of them analysed and written."""
    once, rows = build(folder / "once.mp4", Clip(min(frames, LOOP))), folder / "rows.jsonl"
    clip = looped(folder / "clip.mp4", once, frames)
    command = app("--model", "deep", "--jsonl", str(rows))(clip, folder / "out.mp4")
    status, seen = _sampled(command, rows, pause=max(0.5, frames / 150 / SAMPLES))
    if status:
        raise UsageError(f"the run ended early ({status})")
    return _growth(seen)


def soak(folder: Path, seconds: float) -> str:
    """The growth over a camera that drops out every BREAK_EVERY frames, and its lost frames."""
    rows, out, stats = folder / "rows.jsonl", folder / "out.mp4", folder / "stats.json"
    camera = f"{FAKE_SCHEME}{CAMERA_RATE}fps?breaks={BREAK_EVERY}&for={seconds:g}s"
    command = app("--model", "deep", "--reconnect", RECONNECT, "--jsonl", str(rows),
                  "--stats", str(stats))(camera, out)  # fmt: skip
    status, seen = _sampled(command, rows, pause=max(0.5, seconds / SAMPLES))
    if status != BrokenSourceError.status:  # after its end the camera stays away
        raise UsageError(f"the run ended early ({status})")
    counts = json.loads(stats.read_text())["frames"]
    with av.open(str(out)) as file:
        kept = sum(packet.size > 0 for packet in file.demux(video=0))
    lost = counts["read"] - counts["dropped"] - kept
    return (f"{_growth(seen)}\n{counts['read']} frames read, {counts['failed']} drop-outs, "
            f"{counts['dropped']} dropped for newer ones, {kept} in the file: "
            f"{lost} lost")  # fmt: skip


def day(folder: Path, frames: int) -> str:
    """The growth of the memory of a recording's sinks over so many frames of a live source.

    Video, rows and report get frames of 64x48 as fast as they take them; what looks at
    the clock sees the time of the frames.
    """
    info = SourceInfo("day", 64, 48, Fraction(DAY_RATE), TIME_BASE, None, live=True)
    names = {"out": "out.mp4", "jsonl": "rows.jsonl", "report": "report.html"}
    paths = {name: folder / file for name, file in names.items()}
    seen: list[Resources] = []
    # Nothing is to be left out here, whatever is slower than the others.
    file_like = replace(info, live=False)
    with mock.patch.object(report, "time", _Clock()) as clock:
        sinks = make_sinks(OutputSettings(paths=paths))
        with delivering(sinks, file_like, Stats(), stopped=lambda: False) as deliver:
            for labelled in _frames(frames):
                clock.now = labelled.frame.time
                deliver(labelled)
                if labelled.frame.index % max(1, frames // SAMPLES) == 0:
                    seen.append(replace(resources(os.getpid()), frame=labelled.frame.index))
    a_day = _slope(_settled(seen)) * DAY_FRAMES / 10_000
    return f"{_growth(seen)}\n{a_day:+.2f} MB a day at {DAY_RATE} frames a second"


class _Clock:
    """In place of the module `time`: the time of the frames."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def _frames(count: int) -> Iterator[LabelledFrame]:
    """Frames with one garment each, a new one after SHOWN_FRAMES."""
    image = np.full((48, 64, 3), 90, np.uint8)
    region = Region(np.array([8, 8, 40, 40], np.float32), np.full((32, 32), 255, np.uint8))
    for index in range(count):
        frame = Frame(image, index, index * TIME_BASE.denominator // DAY_RATE, TIME_BASE, 0.0)
        track = 1 + index // SHOWN_FRAMES
        label = Label("top" if track % 2 else "dress", 0.9, (("garment", 0.99),))
        yield LabelledFrame(frame, (Garment(region, track, label),), image)


def _sampled(command: Sequence[str], rows: Path, *, pause: float) -> tuple[int, list[Resources]]:
    """A process's exit status, and its resources every `pause` seconds."""
    if not Path("/proc/self").exists():
        raise UsageError("the endurance run needs Linux, which counts a process's memory in /proc")
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    seen: list[Resources] = []
    while True:
        try:
            return process.wait(pause), seen
        except subprocess.TimeoutExpired:
            with suppress(OSError, KeyError):  # it has ended since, and has none any more
                seen.append(resources(process.pid, rows))


def resources(pid: int, rows: Path | None = None) -> Resources:
    """A process's resources on Linux, and the frame of the last complete row it wrote."""
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    frame = 0
    if rows and rows.is_file() and rows.stat().st_size > 1000:
        with rows.open("rb") as file:
            file.seek(-1000, 2)
            frame = json.loads(file.read().splitlines()[-2])["frame"]
    return Resources(frame, int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]),
                     len(list((process / "fd").iterdir())))  # fmt: skip


def _growth(seen: Sequence[Resources]) -> str:
    settled = _settled(seen)
    sizes, slope = np.array([one.memory for one in settled]), _slope(settled)
    threads, files = [one.threads for one in settled], [one.files for one in settled]
    return (f"{slope:+.3f} MB per 10,000 frames over {len(settled)} samples, {sizes.min():.0f} to "
            f"{sizes.max():.0f} MB; threads {min(threads)} to {max(threads)}, open files "
            f"{min(files)} to {max(files)}")  # fmt: skip


def _settled(seen: Sequence[Resources]) -> list[Resources]:
    last = seen[-1].frame if seen else 0
    settled = [one for one in seen if one.frame > SETTLED * last]
    if len(settled) < 3:
        raise UsageError("the run is too short: give more --frames or --seconds")
    return settled


def _slope(settled: Sequence[Resources]) -> float:
    """The growth of memory in MB per 10,000 frames."""
    frames, sizes = zip(*((one.frame / 10_000, one.memory) for one in settled), strict=True)
    return float(np.polyfit(frames, sizes, 1)[0])
