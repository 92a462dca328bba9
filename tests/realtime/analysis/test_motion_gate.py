"""Still scenes: told from moving ones, and not analysed again."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.motion_gate import MotionGate
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.analysis.tracks import FIRST_VOTES, TrackManager
from realtime.runtime.stats import Stats
from realtime.types import Frame, Region

RNG = np.random.default_rng(0)


def scene(x=100.0, *, size=(480, 640), noise=0.0):
    """A dark square at x on a light ground, drawn to a sixteenth of a pixel."""
    image = np.full((*size, 3), 200, np.uint8)
    corners = [
        (round(16 * (x + dx)), 16 * (100 + dy)) for dx, dy in ((0, 0), (80, 0), (80, 80), (0, 80))
    ]
    cv2.fillPoly(image, [np.array(corners)], (60, 40, 90), cv2.LINE_AA, 4)
    noisy = image + RNG.normal(0, noise, image.shape) if noise else image
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("second", "moved"),
    [
        (scene(), False),
        (scene(noise=6), False),
        (scene(101), True),
        (scene(160), True),
        (scene(size=(240, 320)), True),
    ],
)
def test_motion(second, moved):
    gate = MotionGate()
    assert gate.moved(scene(noise=6))
    assert gate.moved(second) == moved


def test_a_slow_drift_is_motion_in_the_end():
    gate = MotionGate()
    said = [gate.moved(scene(100 + step / 16)) for step in range(33)]
    assert said[0] and 1 <= sum(said[1:]) < 16


LEFT, RIGHT = (
    Region.from_box(np.float32(box)) for box in ((80, 80, 200, 200), (400, 80, 520, 200))
)


@pytest.mark.parametrize(
    ("first", "second", "regions", "motion"),
    [
        (scene(100), scene(100), [LEFT, RIGHT], 0.0),
        (scene(100), scene(140), [LEFT, RIGHT], 15 / 36),  # three columns of five blocks
        (scene(100), scene(140), [RIGHT], 1.0),  # beside what is known
        (scene(100), scene(100), [], 1.0),
        (scene(100), scene(100), None, 1.0),
    ],
)
def test_motion_since_a_detection_is_that_of_the_place_with_most(first, second, regions, motion):
    gate = MotionGate()
    gate.moved(first)
    gate.mark()
    gate.moved(second)
    assert gate.motion_in(regions) == pytest.approx(motion)


def test_frames_of_another_size_are_all_motion():
    gate = MotionGate()
    gate.moved(scene())
    gate.mark()
    gate.moved(scene(size=(240, 320)))
    assert gate.motion_in([LEFT]) == 1.0


def test_tiny_frames():
    gate = MotionGate()
    assert gate.moved(np.zeros((1, 1, 3), np.uint8))
    assert not gate.moved(np.zeros((1, 1, 3), np.uint8))


def test_a_still_scene_is_held_once_its_names_are_settled():
    asked = []

    class Locator(UnscoredLocator):
        def __call__(self, image):
            asked.append(1)
            box = np.array([10, 10, 30, 30], np.float32)
            return [Region(box, np.full((20, 20), 255, np.uint8))]

    def classify(image, regions):
        return np.tile(np.array([0.9, 0.1], np.float32), (len(regions), 1))

    tracker = TrackManager(("Dress", "Bag"), threshold=0.5)
    analysis = FrameAnalysis(Locator(), classify, tracker, annotator=None, title="")
    pictures = [scene()] * 20 + [scene(140)]
    rows = [
        analysis(Frame(picture, index, index, Fraction(1, 25), 0.0), Stats())
        for index, picture in enumerate(pictures)
    ]
    assert len(asked) == 2  # once a scene
    assert [row[0].held for row in rows] == [False] * FIRST_VOTES + [True] * (20 - FIRST_VOTES) + [
        False
    ]
    assert {(row[0].track, row[0].label.name) for row in rows} == {(1, "Dress")}


def test_a_cut_starts_new_tracks():
    gate, tracker = MotionGate(), TrackManager(("a", "b"), threshold=0.5)
    region = Region(np.float32((1, 1, 9, 9)), np.full((8, 8), 255, np.uint8))
    numbers = []
    for image in (scene(), scene(103), 255 - scene(103), 255 - scene(106)):
        gate.moved(image)
        if gate.scene_cut:
            tracker.start_scene()
        numbers.append(tracker([region])[0].track_id)
    assert numbers == [1, 1, 2, 2]
