"""The contract of every fault: no traceback, no hang, a documented status, a line that helps."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import make
from waiting import DEADLINE

CAP = DEADLINE  # seconds that a hang is; an idle machine takes one or two
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 129, 130, 143}
Run = Callable[..., subprocess.CompletedProcess]
LIGHT = ("--model", "deep", "--locate", "segment")  # the app starts in a third of the time


@dataclass(frozen=True)
class Fault:
    """A fault in the environment, and the required behaviour of the app.

    Attributes:
        build: makes it in an empty folder, and returns the flags of the run.
        status: exit status.
        words: part of the line on stderr.
        frames: of out.mp4; None for no such file.
    """

    name: str
    build: Callable[[Path], list]
    status: int = 0
    words: str = ""
    frames: int | None = None


def check(fault: Fault, folder: Path, run: Run = make.app) -> None:
    """Run the app with the fault in `folder`, and check its behaviour.

    Args:
        run: make.app, or make.called where nothing can crash the process.
    """
    done = run(*fault.build(folder), cwd=folder)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == fault.status, done.stderr
    assert done.returncode in DOCUMENTED
    if fault.status:
        errors = [line for line in done.stderr.splitlines() if re.match(r".*\berror: ", line)]
        assert len(errors) == 1 and len(errors[0]) < 400, done.stderr
    assert fault.words in done.stderr, done.stderr
    if fault.frames is not None:
        assert frames_of(folder / "out.mp4") == fault.frames, done.stderr


def frames_of(path: Path) -> int:
    """Frames of a video that a player can show."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
