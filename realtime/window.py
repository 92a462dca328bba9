"""The window on the screen and its keys."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2

from realtime.sinks import save_snapshot
from realtime.types import Frame

PROBE_SECONDS = 10


class Window:
    """A window on the screen: q or Esc quits, space pauses, s saves a snapshot."""

    TITLE = "garments (q quits, space pauses, s saves)"

    def __init__(self, snapshots: Path):
        self._snapshots = snapshots
        cv2.namedWindow(self.TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def __enter__(self) -> "Window":
        return self

    def show(self, frame: Frame, stopped: Callable[[], bool]) -> bool:
        """Show a frame and serve the keys; False when the user quits."""
        cv2.imshow(self.TITLE, frame.image)
        paused = False
        while not stopped():
            key = cv2.waitKey(50 if paused else 1) & 0xFF
            if key in (ord("q"), 27) or cv2.getWindowProperty(self.TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if key == ord("s"):
                save_snapshot(self._snapshots, frame)
            paused ^= key == ord(" ")
            if not paused:
                return True
        return False

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
