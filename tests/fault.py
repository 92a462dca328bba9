"""What every fault must keep to: no traceback, no hang, a documented status, a line that helps."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import make

CAP = 30  # seconds; ten on an idle machine, where the start takes one
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 129, 130, 143}
LIGHT = ("--model", "deep", "--locate", "segment")


@dataclass(frozen=True)
class Fault:
    """A broken world and how the app must meet it.

    Attributes:
        build: makes it in an empty folder, and gives the flags of the run.
        status: exit status; words: what the line on stderr must name.
        frames: of out.mp4, where there must be one.
    """

    name: str
    build: Callable[[Path], list]
    status: int = 0
    words: str = ""
    frames: int | None = None


def held(fault: Fault, folder: Path) -> None:
    """Meet the fault in `folder`, and hold the run against what it must keep to."""
    start = time.monotonic()
    done = make.app(*fault.build(folder), cwd=folder, timeout=CAP)
    assert time.monotonic() - start < CAP
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == fault.status, done.stderr
    assert done.returncode in DOCUMENTED
    if fault.status:
        said = [line for line in done.stderr.splitlines() if re.match(r".*\berror: ", line)]
        assert len(said) == 1 and len(said[0]) < 400, done.stderr
    assert fault.words in done.stderr, done.stderr
    if fault.frames is not None:
        assert frames_of(folder / "out.mp4") == fault.frames, done.stderr


def frames_of(path: Path) -> int:
    """Frames of a video that a player can show."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
