"""Whole processes, interleaved A B B A: time, memory and size of the video."""

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
POLL_SECONDS = 0.05  # between samples of a process's memory
# A program that lacks a package fails instead of fetching it while it is timed.
OFFLINE = {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}
VIDEOS = (".mp4", ".avi", ".mkv")
# From a clip, or the address of a camera, and the output's path to a command line.
Command = Callable[[Path | str, Path], list[str]]


@dataclass(frozen=True)
class ProcessRun:
    """One process.

    Attributes:
        seconds: of wall time.
        memory: peak in MB, with its children.
        size: bytes of its video.
        cpu: seconds of user and system time, with its children; 0 on Windows.
    """

    seconds: float
    memory: float
    size: int = 0
    cpu: float = 0.0


def measured(
    command: Sequence[str], folder: Path | None = None, *, limit: float = math.inf
) -> ProcessRun:
    """Run a process to its end.

    Args:
        folder: of its video; older videos in it are removed first.
        limit: seconds after which it is killed.

    Raises:
        CalledProcessError: it failed.
        TimeoutExpired: it was killed.
    """
    for old in _videos(folder):
        old.unlink()
    memory = 0.0
    with tempfile.TemporaryFile() as errors:
        start, used = time.perf_counter(), _cpu_seconds()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors, env=os.environ | OFFLINE
        )
        try:
            while True:
                try:
                    process.wait(POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    memory = max(memory, _peak_memory(process.pid))
                    if time.perf_counter() - start > limit:
                        raise
        finally:
            process.kill()  # nothing is left behind by an interrupt either
            process.wait()
        seconds = time.perf_counter() - start
        errors.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read())
    size = sum(path.stat().st_size for path in _videos(folder))
    return ProcessRun(seconds, memory, size, _cpu_seconds() - used)


def seconds_until_output(command: Sequence[str], text: str) -> float:
    """Seconds from a process's start until it prints a text; it is then killed.

    Raises:
        CalledProcessError: it ended before.
    """
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "YOLO_VERBOSE": "True"}
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        printed = any(text in line for line in process.stdout or ())
        seconds = time.perf_counter() - start
        process.kill()
    if not printed:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=b"ended early")
    return seconds


def _cpu_seconds() -> float:
    """User and system time of all processes that this one has waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _peak_memory(pid: int) -> float:
    """Highest resident memory so far of a process and its children together, in MB (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0")
    return int(own.split()[1]) / 1024 + sum(_peak_memory(int(child)) for child in children)


def _videos(folder: Path | None) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix in VIDEOS] if folder else []


class Program(Protocol):
    """A program to time: `command(clip, out)` runs it as a whole process."""

    @property
    def name(self) -> str: ...
    @property
    def command(self) -> Command: ...


def compare(
    programs: Sequence[Program], clip: Path, folder: Path, rounds: int
) -> dict[str, list[ProcessRun]]:
    """Runs of every program by its name: forwards in one round, backwards in the next."""
    runs: dict[str, list[ProcessRun]] = {one.name: [] for one in programs}
    out = folder / "out"
    out.mkdir(exist_ok=True)
    for one in programs:  # fills the file and kernel caches
        measured(one.command(clip, out / "out.mp4"), out)
    for number in range(rounds):
        for one in programs if number % 2 == 0 else reversed(programs):
            runs[one.name].append(measured(one.command(clip, out / "out.mp4"), out))
    return runs


def table(runs: dict[str, list[ProcessRun]], frames: int) -> str:
    """Medians, and the first program's speed relative to each: median and range of the rounds."""
    first = np.array([run.seconds for run in next(iter(runs.values()))])
    lines = [f"{'':36s} {'s':>6s} {'fps':>6s} {'MB':>6s} {'KB out':>8s}   ours / this"]
    for name, some in runs.items():
        seconds = np.array([run.seconds for run in some])
        ratios, middle = seconds / first, float(np.median(seconds))
        memory = float(np.median([run.memory for run in some]))
        lines.append(
            f"{name:36s} {middle:6.2f} {frames / middle:6.0f} {memory:6.0f} "
            f"{some[-1].size / 1000:8.0f}   "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        )
    return "\n".join(lines)


def plot(path: Path, runs: dict[str, list[ProcessRun]], frames: int, title: str) -> None:
    """Plot frames a second of every program and round."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(runs) + 1.4), layout="constrained")
    for row, some in enumerate(runs.values()):
        speeds = [frames / run.seconds for run in some]
        axes.barh(row, np.median(speeds), color="#0072b2" if row == 0 else "#9aa0a6")
        axes.plot(speeds, [row] * len(speeds), "k|", markersize=10)
        axes.text(np.median(speeds), row, f" {np.median(speeds):.0f}", va="center")
    axes.set_yticks(range(len(runs)), list(runs))
    axes.invert_yaxis()
    axes.set_xlabel("frames a second, median and every round")
    axes.set_title(title, fontsize=10)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
