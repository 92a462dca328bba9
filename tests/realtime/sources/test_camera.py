"""Cameras: their clock, their loss, and the error where there is none."""

import cv2
import make
import numpy as np
import pytest

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources import camera
from realtime.sources.camera import CameraSource


class FakeCapture:
    """In place of cv2.VideoCapture: five pictures, then the cable is pulled."""

    def __init__(self, number):
        self.left = 5

    def isOpened(self):  # OpenCV's name
        return True

    def get(self, key):
        return {cv2.CAP_PROP_FRAME_WIDTH: 64, cv2.CAP_PROP_FRAME_HEIGHT: 48}.get(key, 30.0)

    def read(self):
        self.left -= 1
        return (self.left >= 0, make.picture(0) if self.left >= 0 else None)

    def release(self):
        pass


def test_a_camera_keeps_time_and_its_loss_is_an_error(monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCapture)
    frames = []
    with CameraSource(0) as source, pytest.raises(BrokenSourceError, match="after 5"):
        for frame in source:
            frames.append(frame)
    assert source.info.live and source.info.rate == 30
    assert len(frames) == 5 and (np.diff([f.pts for f in frames]) > 0).all()


def test_the_error_of_a_camera_that_is_not_there_names_the_next_step():
    with pytest.raises(SourceError, match=r"no camera 63.*--(video|camera)"):
        CameraSource(63)
