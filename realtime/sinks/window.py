"""The window on the screen and its keys; window_process.py is the program that shows it."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import SinkError
from realtime.runtime.worker import Prefetch, ReceiveTimeout
from realtime.sinks.pictures import save_snapshot
from realtime.sinks.window_process import CLOSED, HEADER, Screen
from realtime.types import Frame, LabelledFrame, SourceInfo

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60  # for a display to open a window; without one the program ends at once
END_SECONDS = 2
POLL_MS = 50  # between checks of the keys while nothing changes
MAX_SIZE = (1280, 720)  # pixels of a new window
QUIT = (CLOSED, b"\x1b")
NO_DISPLAY = "no display for the window: use --serve, or write a file with -o FILE"
logger = logging.getLogger(__name__)


class Window:
    """A window on the screen: q or Esc quits, space pauses, s saves a snapshot.

    Args:
        info: of the source, for the window's size.
        snapshots: folder for the s key.
        paced: show a file's frames at their own times instead of as soon as they are ready.
        needed: there is no other output, so that a lost display ends the run.

    Raises:
        SinkError: there is no display.
    """

    def __init__(self, info: SourceInfo, *, snapshots: Path, paced: bool, needed: bool):
        self._snapshots, self._paced, self._needed = snapshots, paced, needed
        self._started: float | None = None  # time.monotonic() at time 0 of the source
        scale = min(1.0, MAX_SIZE[0] / info.width, MAX_SIZE[1] / info.height)
        size = round(info.width * scale), round(info.height * scale)
        self._screen: WindowProcess | MainWindow | None = opened_window(*size)

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._screen:
            self._screen.close()

    def show(self, labelled: LabelledFrame, stopped: Callable[[], bool]) -> bool:
        """Show a frame and handle the keys; return False if the user quits.

        Raises:
            SinkError: the display is lost, and the window was needed.
        """
        paused = False
        picture: np.ndarray | None = labelled.picture
        while self._screen and not stopped():
            wait = POLL_MS if paused else self._wait_ms(labelled.frame)
            key = self._screen.key(wait, picture)
            picture = None  # it is on the screen
            if not key:
                self._lose()
            if key in QUIT:
                return False
            if key == b"s":
                save_snapshot(self._snapshots, labelled)
            if key == b" ":
                paused = not paused
                self._started = None
            if not paused:
                return True
        return not stopped()

    def _lose(self) -> None:
        self._screen = None
        if self._needed:
            raise SinkError("the display is lost: start again, or use --serve or -o FILE")
        logger.warning("the display is lost: the run continues without the window")

    def _wait_ms(self, frame: Frame) -> int:
        """Milliseconds until the next frame may be shown, at least 1, in which keys are read."""
        if not self._paced:
            return 1
        now = time.monotonic()
        if self._started is None:
            self._started = now - frame.time
        return max(1, min(POLL_MS, round(1000 * (self._started + frame.time - now))))


def opened_window(width: int, height: int) -> "WindowProcess | MainWindow":
    """Open a window of a size in pixels: in a process of its own where that may be.

    macOS shows windows of the process that was started by the user, and where no further process
    may be started there is none.

    Raises:
        SinkError: there is no display.
    """
    if sys.platform != "darwin":
        try:
            return WindowProcess(width, height)
        except OSError as error:
            logger.warning("the window runs in the app's own process (%s)", error.strerror)
    return MainWindow(width, height)


class MainWindow:
    """The window in this process; only its main thread may use it.

    Raises:
        SinkError: there is no display, or OpenCV was built without windows.
    """

    def __init__(self, width: int, height: int):
        try:
            self._screen = Screen(width, height)
        except cv2.error as error:
            raise SinkError(NO_DISPLAY) from error

    def key(self, wait_ms: int, picture: np.ndarray | None) -> bytes:
        """Show a picture, if there is a new one, and return the key pressed within `wait_ms`.

        It is b"" if the display is lost.
        """
        try:
            return self._screen.key(wait_ms, picture)
        except cv2.error:
            return b""

    def close(self) -> None:
        """Close the window."""
        self._screen.close()


class WindowProcess:
    """The program that shows a window, started and ready.

    Args:
        width, height: of the window, in pixels.

    Raises:
        SinkError: there is no display.
        OSError: no process can be started.
    """

    def __init__(self, width: int, height: int):
        command = [sys.executable, "-m", "realtime.sinks.window_process", str(width), str(height)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pictures, self._keys = self._process.stdin, self._process.stdout
        if not self._is_ready():
            self._process.kill()
            raise SinkError(NO_DISPLAY)

    def _is_ready(self) -> bool:
        """Wait for the first byte, on a thread: Windows cannot wait for a pipe otherwise."""
        first = (self._keys.read(1) for _ in range(1))
        with Prefetch(first, size=1, drop_oldest=False, join=0.0) as read:
            try:
                return any(read.items(timeout=lambda: START_SECONDS))
            except ReceiveTimeout:
                return False

    def key(self, wait_ms: int, picture: np.ndarray | None) -> bytes:
        """Show a picture, if there is a new one, and return the key pressed within `wait_ms`.

        It is b"" if the display is lost.
        """
        height, width = (0, 0) if picture is None else picture.shape[:2]
        try:
            self._pictures.write(HEADER.pack(wait_ms, height, width))
            if picture is not None:
                self._pictures.write(picture.data)
            self._pictures.flush()
            return self._keys.read(1)
        except OSError:  # a broken pipe, which Windows calls an invalid argument
            return b""

    def close(self) -> None:
        """Close the window and wait for the program's end."""
        with suppress(OSError):  # the program has ended
            self._pictures.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def has_display() -> bool:
    """True if a window can be opened."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        opened_window(1, 1).close()
    except SinkError:
        return False
    return True
