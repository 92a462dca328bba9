"""Shows the window, as a program of its own: a lost display ends it and nothing else.

window.py starts it, sends pictures to its stdin and reads keys from its stdout.
"""

import os
import signal
import struct
import sys

import cv2
import numpy as np

TITLE = "garments (q quits, space pauses, s saves)"
HEADER = struct.Struct("<3I")  # milliseconds to wait for a key; height and width, 0 for no pixels
NO_KEY, CLOSED = b"\xff", b"q"


def main() -> None:
    """Show the pictures of stdin until its end; answer every header with a key."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the app closes stdin
    # The wheel's Qt finds no fonts and warns of it all the time; nothing here is drawn by Qt.
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
    cv2.resizeWindow(TITLE, int(sys.argv[1]), int(sys.argv[2]))
    cv2.waitKey(1)
    pictures, keys = sys.stdin.buffer, sys.stdout.buffer
    keys.write(NO_KEY)  # ready
    keys.flush()
    while header := pictures.read(HEADER.size):
        wait, height, width = HEADER.unpack(header)
        if height:
            pixels = np.frombuffer(pictures.read(3 * height * width), np.uint8)
            cv2.imshow(TITLE, pixels.reshape(height, width, 3))
        key = bytes([cv2.waitKey(wait) & 0xFF])
        gone = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        keys.write(CLOSED if gone else key)
        keys.flush()


if __name__ == "__main__":
    main()
