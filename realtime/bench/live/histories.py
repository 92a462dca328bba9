"""Histories of archives: killed runs, other flags, changed and damaged sources, full disks.

Each begins with an empty folder, suffers faults that are drawn at random, and ends with a normal
run, whose results have to be those of a run from nothing: the same rows, and the same pictures at
the same times. Needs Linux.
"""

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.batch.places import UNFINISHED, names_of
from realtime.batch.units import outputs_of
from realtime.bench.live.archive_runs import Run, clip, content_of, small_disk
from training.inference.weights import WEIGHTS_DIR

SOURCES, KINDS = 2, 4  # of a history at its start, and different ones that there are
MODELS = ("deep", "baseline")  # with equal classes: one may stand in the place of the other
FAULTS_OF_ONE = (2, 5)  # the least and the most of a history
RUN_BEFORE = 0.5  # chance of a normal run before a fault
RAY_EVERY = 10  # histories, of which one runs on Ray
MOST_LINES, MOST_SECONDS = 8, 0.1  # of a run and after its last line, until it is killed
SMALL_FILE = (8_000, 60_000)  # bytes, within which a limit keeps each file of a full disk
ALLOWED = (0, 3, 4, 5, -9)  # exit statuses, the last one of a killed run
FLAGS = (
    ("--colour",), ("--label-threshold", "0.9"), ("--names", "kinds"), ("--unit-frames", "7"),
    ("--end", "1"), ("--start", "0.5"), ("--locate", "whole"), ("--locate", "none"),
    ("--no-resume",), ("--rows-only",), ("--detection-interval", "smooth"),
)  # fmt: skip
FOR_ONCE = {"--no-resume", "--rows-only"}  # no flags of the last run


@dataclass
class History:
    """An archive with its sources, and what happened to it.

    Attributes:
        kinds: clips that a source may become.
        videos: the sources.
        out: the folder of results.
        flags: of the normal run.
        model: whose weights its own weight file has.
        disk: a small file system that holds `out`; None where only the sizes of files are limited.
        events: the faults so far, in words.
    """

    folder: Path
    rng: random.Random
    kinds: Sequence[Path]
    out: Path
    ray: bool = False
    disk: Path | None = None
    model: str = MODELS[0]
    videos: list[Path] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    runs: int = 0

    def start(self, more: Sequence[str] = (), *, out: Path | None = None,
              limit: int | None = None) -> Run:  # fmt: skip
        """Start a run with further flags."""
        self.runs += 1
        model = ("--model", str(self.folder / "weights" / "own.onnx"))
        argv = [*map(str, self.videos), "--out", str(out or self.out), *model, *self.flags, *more]
        if self.ray:
            argv += ["--workers", "2"]
        return Run(argv, self.folder / f"run-{self.runs}.txt", limit=limit, ray=self.ray)

    def end(self, run: Run) -> int | None:
        """Wait for the end of a run; return its exit status.

        Raises:
            AssertionError: it ended as no user should see it.
        """
        status = run.end()
        if status not in ALLOWED or any("Traceback" in line for line in run.lines):
            raise AssertionError(f"status {status}: {run.lines}")
        return status

    def run(self, more: Sequence[str] = (), **options: Any) -> int | None:
        """Start a run and wait for its end; see `start` and `end`."""
        return self.end(self.start(more, **options))

    def some_flags(self) -> tuple[str, ...]:
        """Flags for one run, mostly such that there is much to do."""
        return self.rng.choice([(), ("--no-resume",), ("--no-resume",), self.rng.choice(FLAGS)])


def _killed(one: History) -> str:
    run, after = one.start(flags := one.some_flags()), one.rng.randrange(MOST_LINES)
    run.wait_for(after)
    time.sleep(one.rng.uniform(0, MOST_SECONDS))
    run.process.kill()
    return f"killed{''.join(f' {flag}' for flag in flags)}: {one.end(run)} at {len(run.lines)}"


def _flags_once(one: History) -> str:
    flags = one.rng.choice(FLAGS)
    return f"{' '.join(flags)}: {one.run(flags)}"


def _flags_changed(one: History) -> str:
    flags = one.rng.choice([flags for flags in FLAGS if flags[0] not in FOR_ONCE])
    one.flags += flags
    return f"from now on {' '.join(flags)}"


def _swapped(one: History) -> str:
    video, other = one.rng.choice(one.videos), one.rng.choice(one.kinds)
    times = video.stat() if one.rng.random() < 0.5 else None
    shutil.copyfile(other, video)
    if times:
        os.utime(video, ns=(times.st_atime_ns, times.st_mtime_ns))
    return f"{video.name} is {other.name}{', of the same time' if times else ''}"


def _damaged(one: History) -> str:
    video = one.rng.choice(one.videos)
    data, kind = bytearray(video.read_bytes()), one.rng.choice(["cut off", "zeros", "text", "gone"])
    if kind == "cut off":
        del data[round(len(data) * one.rng.uniform(0.3, 0.98)) :]
    elif kind == "zeros":
        first = one.rng.randrange(len(data) // 3, len(data))
        data[first : first + 900] = bytes(len(data[first : first + 900]))
    elif kind == "text":
        data = bytearray(b"no video")
    video.write_bytes(data)
    if kind == "gone":
        video.unlink()
        one.videos.remove(video)
        one.videos.append(_new_source(one))
    return f"{video.name}: {kind}"


def _two_at_once(one: History) -> str:
    first = one.start(("--no-resume",))
    first.wait_for(1)  # it has the folder
    second = one.start(one.some_flags())
    second.wait_for(1)
    running = first.process.is_alive()
    status = one.end(second)
    refused = status == 5 and any("another run" in line for line in second.lines)
    if not refused and running:
        raise AssertionError(f"two runs at once: {status}, {second.lines}")
    one.end(first)
    return f"two runs{', the second refused' if refused else ''}"


def _full_disk(one: History) -> str:
    if one.disk is None:
        return f"full disk: {one.run(one.some_flags(), limit=one.rng.randrange(*SMALL_FILE))}"
    ballast, room = one.disk / "ballast", one.rng.randrange(SMALL_FILE[1])
    ballast.write_bytes(bytes(max(1, shutil.disk_usage(one.disk).free - room)))
    status = one.run(one.some_flags())
    ballast.unlink()
    return f"full disk: {status}"


def _weights(one: History) -> str:
    one.model = next(model for model in MODELS if model != one.model)
    _take_weights(one)
    return f"weights {one.model}"


def _take_weights(one: History) -> None:
    folder = one.folder / "weights"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(WEIGHTS_DIR / f"{one.model}.onnx", folder / "own.onnx")


def _results_damaged(one: History) -> str:
    files = [path for path in sorted(one.out.rglob("*")) if path.is_file() and path.name != ".lock"]
    if not files:
        return "no results yet"
    path = one.rng.choice(files)
    if one.rng.random() < 0.5:
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2)
    return f"damaged {path.relative_to(one.out)}"


def _sources_moved(one: History) -> str:
    one.rng.shuffle(one.videos)
    if len(one.videos) < KINDS:
        one.videos.insert(0, _new_source(one))
    return f"{len(one.videos)} sources in another order"


def _new_source(one: History) -> Path:
    """A source whose name another one may have, in a folder of its own."""
    path = (
        one.folder / f"from-{len(list(one.folder.iterdir()))}" / one.rng.choice(["a.mp4", "b.mp4"])
    )
    path.parent.mkdir()
    shutil.copyfile(one.rng.choice(one.kinds), path)
    return path


FAULTS: dict[str, Callable[[History], str]] = {
    "killed": _killed,
    "another flag for once": _flags_once,
    "another flag": _flags_changed,
    "swapped source": _swapped,
    "damaged source": _damaged,
    "two runs": _two_at_once,
    "full disk": _full_disk,
    "other weights": _weights,
    "damaged results": _results_damaged,
    "moved sources": _sources_moved,
}


def live(folder: Path, *, seed: int, count: int, mount: bool = True, ray: bool = True) -> str:
    """Live through histories; return their outcomes, the last line with their number.

    Args:
        seed: of the first; each has its own.
        mount: use a small file system as a full disk, where one can be mounted.
        ray: run some on Ray.
    """
    kinds = [clip(folder / f"clip-{number}.mp4", number) for number in range(KINDS)]
    lines, faults, equal = [], Counter[str](), 0
    for number in range(seed, seed + count):
        place = folder / f"history-{number}"
        on_ray = ray and number % RAY_EVERY == RAY_EVERY - 1
        with small_disk(place, mount=mount) as disk:
            one = History(
                place, random.Random(number), kinds, (disk or place) / "out", on_ray, disk
            )
            problem = _lived(one, faults)
        equal += not problem
        events = "; ".join(one.events)
        lines.append(f"{number}{' on Ray' if on_ray else ''}: {problem or 'equal'} ({events})")
        if not problem:
            shutil.rmtree(place)
    counts = ", ".join(f"{faults[name]} x {name}" for name in FAULTS)
    return "\n".join([*lines, counts, f"{equal} of {count} equal to a run from nothing"])


def _lived(one: History, faults: Counter[str]) -> str:
    """Live through a history; return what is wrong at its end, "" for nothing."""
    one.videos += [_new_source(one) for _ in range(SOURCES)]
    one.flags += ["--unit-frames", "12", "--locate", "segment"]
    _take_weights(one)
    try:
        for _ in range(one.rng.randint(*FAULTS_OF_ONE)):
            if one.rng.random() < RUN_BEFORE:
                one.events.append(f"run: {one.run()}")
            name = one.rng.choice(list(FAULTS))
            faults[name] += 1
            one.events.append(FAULTS[name](one))
        statuses = one.run(), one.run(out=one.folder / "fresh")
    except AssertionError as error:
        return str(error)
    one.events.append(f"statuses {statuses}")
    if statuses[0] != statuses[1]:
        return "another exit status"
    if left := [path for path in one.out.rglob("*") if path.name.startswith(UNFINISHED)]:
        return f"left: {left}"
    return _unequal(one, one.folder / "fresh")


def _unequal(one: History, fresh: Path) -> str:
    """The first result that differs from that of a run from nothing; "" for none."""
    videos = list(map(str, one.videos))
    names, others = names_of(videos, one.out), names_of(videos, fresh)
    for video in videos:
        found = zip(
            outputs_of(one.out / names[video]), outputs_of(fresh / others[video]), strict=True
        )
        for result, wanted in found:
            if not wanted.exists():  # of a source that cannot be opened
                continue
            if not result.exists() or content_of(result) != content_of(wanted):
                return f"{result} differs from {wanted}"
    return ""
