"""The window: in a process of its own, or in the app's own where that is not allowed."""

import subprocess
import sys

import cv2
import make
import numpy as np
import pytest

from preprocessing.errors import SinkError
from realtime.sinks import window
from realtime.sinks.window import MainWindow, Window, WindowProcess, opened_window


@pytest.fixture
def screen(monkeypatch):
    """OpenCV's windows: what is shown, and the keys that are pressed."""
    shown, keys = [], [255, ord("s"), 255, ord("q")]
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "resizeWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda _: keys.pop(0) if keys else 255)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    return shown


def refuse(*_, **__):
    raise PermissionError(1, "Operation not permitted")


def test_where_no_process_may_be_started_the_window_is_the_apps_own(monkeypatch, screen, tmp_path):
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with Window(make.info(), snapshots=tmp_path, paced=False, needed=True) as shown:
        going = [shown.show(make.labelled(0), lambda: False) for _ in range(3)]
    assert going == [True, True, False] and len(screen) == 3  # the first key went to the opening
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_macos_shows_windows_of_the_main_process_alone(monkeypatch, screen):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert isinstance(opened_window(10, 10), MainWindow)


def test_opencv_without_windows_is_a_missing_display(monkeypatch):
    def fail(*_):
        raise cv2.error("The function is not implemented. Rebuild the library")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(cv2, "namedWindow", fail)
    with pytest.raises(SinkError, match="use --serve"):
        opened_window(10, 10)
    assert not window.has_display()


SHOWS = """
import sys
from realtime.sinks.window_process import HEADER
sys.stdout.buffer.write(b"\\xff"); sys.stdout.buffer.flush()
while header := sys.stdin.buffer.read(HEADER.size):
    _, height, width = HEADER.unpack(header)
    size = len(sys.stdin.buffer.read(3 * height * width))
    sys.stdout.buffer.write(b"q" if size == 36 else b"\\xff"); sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(("program", "key"), [(SHOWS, b"q"), ("", None)])
def test_the_windows_process_is_waited_for_and_answers(monkeypatch, program, key):
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **more: start([sys.executable, "-c", program], **more)
    )
    if key is None:
        with pytest.raises(SinkError, match="no display"):
            WindowProcess(4, 3)
        return
    shown = WindowProcess(4, 3)
    assert shown.key(1, None) == b"\xff" and shown.key(1, np.zeros((3, 4, 3), np.uint8)) == key
    shown.close()
