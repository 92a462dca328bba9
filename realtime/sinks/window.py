"""The window on the screen and its keys."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from preprocessing.errors import SinkError
from realtime.sinks.sink import save_snapshot
from realtime.sinks.window_process import CLOSED, HEADER
from realtime.types import Frame, SourceInfo

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 10  # that a display may take to show a window
END_SECONDS = 2
PAUSE_MS = 50  # between looks at the keys while nothing changes
LARGEST = (1280, 720)  # pixels that a new window takes at most
QUIT = (CLOSED, b"\x1b")


class Window:
    """A window on the screen: q or Esc quits, space pauses, s saves a snapshot.

    Args:
        info: of the source, for the window's size.
        snapshots: folder for the s key.
        paced: show a file's frames at their own times instead of as soon as they are ready.
        needed: nothing else shows or keeps the frames, so that a lost display ends the run.
    """

    def __init__(self, info: SourceInfo, *, snapshots: Path, paced: bool, needed: bool):
        self._snapshots, self._paced, self._needed = snapshots, paced, needed
        self._started: float | None = None  # clock at which the source's time was 0
        scale = min(1.0, LARGEST[0] / info.width, LARGEST[1] / info.height)
        self._screen: subprocess.Popen | None = _start(
            round(info.width * scale), round(info.height * scale)
        )

    def __enter__(self) -> "Window":
        return self

    def show(self, frame: Frame, stopped: Callable[[], bool]) -> bool:
        """Show a frame and serve the keys; False when the user quits.

        Raises:
            SinkError: the display is lost, and the window was needed.
        """
        paused, shown = False, False
        while self._screen and not stopped():
            key = self._ask(None if shown else frame, PAUSE_MS if paused else self._wait_ms(frame))
            shown = True
            if key in QUIT:
                return False
            if key == b"s":
                save_snapshot(self._snapshots, frame)
            if key == b" ":
                paused = not paused
                self._started = None
            if not paused:
                return True
        return not stopped()

    def _ask(self, frame: Frame | None, wait: int) -> bytes:
        """The key pressed within `wait` milliseconds, with a frame shown first; b"" if lost."""
        height, width = frame.image.shape[:2] if frame else (0, 0)
        try:
            self._screen.stdin.write(HEADER.pack(wait, height, width))
            if frame:
                self._screen.stdin.write(memoryview(frame.image).cast("B"))
            self._screen.stdin.flush()
            key = self._screen.stdout.read(1)
        except BrokenPipeError:
            key = b""
        if not key:
            self._lost()
        return key

    def _lost(self) -> None:
        self._screen = None
        if self._needed:
            raise SinkError("the display is lost: start again, or use --serve or -o FILE")
        print("the display is lost: going on without the window", file=sys.stderr)

    def _wait_ms(self, frame: Frame) -> int:
        """Milliseconds until the next frame may be shown, at least the one that serves the keys."""
        now = time.monotonic()
        if not self._paced:
            return 1
        if self._started is None:
            self._started = now - frame.time
        return max(1, min(PAUSE_MS, round(1000 * (self._started + frame.time - now))))

    def __exit__(self, *exc_info: object) -> None:
        if self._screen:
            _end(self._screen)


def has_display() -> bool:
    """Whether a window can be opened."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        _end(_start(1, 1))
    except SinkError:
        return False
    return True


def _start(width: int, height: int) -> subprocess.Popen:
    """A window's program, once its window stands.

    Raises:
        SinkError: there is no display.
    """
    command = [sys.executable, "-m", "realtime.sinks.window_process", str(width), str(height)]
    screen = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)  # fmt: skip
    ready, _, _ = select.select([screen.stdout], [], [], START_SECONDS)
    if not ready or not screen.stdout.read(1):
        screen.kill()
        raise SinkError("no display for the window: use --serve, or write a file with -o FILE")
    return screen


def _end(screen: subprocess.Popen) -> None:
    screen.stdin.close()
    try:
        screen.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        screen.kill()
