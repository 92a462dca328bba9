"""Shows the window, mostly as a program of its own: a lost display ends it and nothing else.

window.py starts it, sends pictures to its stdin and reads keys from its stdout.
"""

import os
import signal
import struct
import sys
from contextlib import suppress

import cv2
import numpy as np

from realtime.runtime.interrupt import SIGNALS

TITLE = "garments (q quits, space pauses, s saves)"
HEADER = struct.Struct("<3I")  # milliseconds to wait for a key; height and width, 0 for no pixels
NO_KEY, CLOSED = b"\xff", b"q"


class Screen:
    """The window in this process, whose main thread has to call it.

    Args:
        width, height: of the window, in pixels.

    Raises:
        cv2.error: OpenCV was built without windows, or finds no display.
    """

    def __init__(self, width: int, height: int):
        # The wheel's Qt finds no fonts and warns of it all the time; nothing here is drawn by Qt.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(TITLE, width, height)
        cv2.waitKey(1)

    def key(self, wait_ms: int, picture: np.ndarray | None) -> bytes:
        """Show a picture, BGR uint8 (H, W, 3), if there is a new one; return the key pressed."""
        if picture is not None:
            cv2.imshow(TITLE, picture)
        key = bytes([cv2.waitKey(wait_ms) & 0xFF])
        gone = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        return CLOSED if gone else key

    def close(self) -> None:
        """Close the window."""
        with suppress(cv2.error):  # it is closed already
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)


def main() -> None:
    """Show the pictures of stdin until its end; answer every header with a key."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the app closes stdin
    screen = Screen(int(sys.argv[1]), int(sys.argv[2]))
    pictures, keys = sys.stdin.buffer, sys.stdout.buffer
    keys.write(NO_KEY)  # ready
    keys.flush()
    while header := pictures.read(HEADER.size):
        wait, height, width = HEADER.unpack(header)
        picture = None
        if height:
            pixels = np.frombuffer(pictures.read(3 * height * width), np.uint8)
            picture = pixels.reshape(height, width, 3)
        keys.write(screen.key(wait, picture))
        keys.flush()


if __name__ == "__main__":
    main()
