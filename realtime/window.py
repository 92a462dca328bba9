"""The window on the screen and its keys."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from realtime.sinks import save_snapshot
from realtime.types import Frame, SourceInfo

PROBE_SECONDS = 10
PAUSE_MS = 50  # between looks at the keys while nothing changes
LARGEST = (1280, 720)  # pixels that a new window takes at most


class Window:
    """A window on the screen: q or Esc quits, space pauses, s saves a snapshot.

    Args:
        info: of the source, for the window's size.
        snapshots: folder for the s key.
        paced: show a file's frames at their own times instead of as soon as they are ready.
    """

    TITLE = "garments (q quits, space pauses, s saves)"

    def __init__(self, info: SourceInfo, *, snapshots: Path, paced: bool):
        self._snapshots, self._paced = snapshots, paced
        self._started: float | None = None  # clock at which the source's time was 0
        # The wheel's Qt finds no fonts and says so again and again; nothing here is drawn by Qt.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        cv2.namedWindow(self.TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        scale = min(1.0, LARGEST[0] / info.width, LARGEST[1] / info.height)
        cv2.resizeWindow(self.TITLE, round(info.width * scale), round(info.height * scale))

    def __enter__(self) -> "Window":
        return self

    def show(self, frame: Frame, stopped: Callable[[], bool]) -> bool:
        """Show a frame and serve the keys; False when the user quits."""
        cv2.imshow(self.TITLE, frame.image)
        paused = False
        while not stopped():
            key = cv2.waitKey(PAUSE_MS if paused else self._wait_ms(frame)) & 0xFF
            if key in (ord("q"), 27) or cv2.getWindowProperty(self.TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if key == ord("s"):
                save_snapshot(self._snapshots, frame)
            if key == ord(" "):
                paused = not paused
                self._started = None
            if not paused:
                return True
        return False

    def _wait_ms(self, frame: Frame) -> int:
        """Milliseconds until the next frame may be shown, at least the one that serves the keys."""
        now = time.monotonic()
        if not self._paced:
            return 1
        if self._started is None:
            self._started = now - frame.time
        return max(1, min(PAUSE_MS, round(1000 * (self._started + frame.time - now))))

    def __exit__(self, *exc_info: object) -> None:
        cv2.destroyAllWindows()


def has_display() -> bool:
    """Whether a window can be opened; tried in a child process, since a failure aborts it."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    probe = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
