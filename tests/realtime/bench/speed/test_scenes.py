"""Clips of people."""

from itertools import islice

import make
import numpy as np
import pytest

from preprocessing.errors import SourceError
from realtime.bench.speed.scenes import Scene, SceneMaker, covering, swaying, there_and_back


def test_a_clip_of_another_size_goes_there_and_back(tmp_path):
    video = make.clip(tmp_path / "in.mp4", frames=3, size=(64, 48))
    scenes = SceneMaker(tmp_path, video, None)
    images, _ = make.decoded(scenes.write(Scene(6, (128, 72))))
    assert len(images) == 6 and images[0].shape == (72, 128, 3)
    assert "in.mp4" in scenes.person and not scenes.composes
    assert list(islice(there_and_back([0, 1, 2]), 6)) == [0, 1, 2, 1, 0, 1]


def test_a_cover_keeps_the_middle():
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 255
    assert (covering(image, (10, 10)) == 255).all()


def test_a_swaying_camera_stays_in_the_picture():
    image = np.zeros((34, 44, 3), np.uint8)
    parts = list(islice(swaying(image, (20, 10)), 60))
    assert {part.shape for part in parts} == {(10, 20, 3)}


def test_nobody_is_a_ground_alone(tmp_path):
    scenes = SceneMaker(tmp_path, None, None)
    images, _ = make.decoded(scenes.write(Scene(2, (64, 48), people=0)))
    assert len(images) == 2 and "nobody" in scenes.person


def test_a_video_that_is_none(tmp_path):
    (tmp_path / "in.mp4").write_text("no video")
    with pytest.raises(SourceError, match="cannot be read"):
        SceneMaker(tmp_path, tmp_path / "in.mp4", None)
