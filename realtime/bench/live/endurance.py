"""Long runs: growth of memory, threads and open files, and lost frames."""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from preprocessing.errors import BrokenSourceError, UsageError
from realtime.bench.clips import Clip, build, looped
from realtime.bench.measure import ROOT
from realtime.bench.peers import app
from realtime.sources.addresses import FAKE_SCHEME

SAMPLES = 100  # of a process while it runs, or a little fewer
LOOP = 600  # frames of a clip that is looped
SETTLED = 0.1  # of a run, before which its memory does not count
CAMERA_RATE = 150  # frames a second
BREAK_EVERY = 1000  # frames between the camera's drop-outs
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
    last = seen[-1].frame if seen else 0
    settled = [one for one in seen if one.frame > SETTLED * last]
    if len(settled) < 3:
        raise UsageError("the run is too short: give more --frames or --seconds")
    sizes = np.array([one.memory for one in settled])
    slope = np.polyfit([one.frame / 10_000 for one in settled], sizes, 1)[0]
    threads, files = [one.threads for one in settled], [one.files for one in settled]
    return (f"{slope:+.3f} MB per 10,000 frames over {len(settled)} samples, {sizes.min():.0f} to "
            f"{sizes.max():.0f} MB; threads {min(threads)} to {max(threads)}, open files "
            f"{min(files)} to {max(files)}")  # fmt: skip
