"""The loop itself: every frame in order, and errors after the frames before them."""

import time
from copy import copy

import make
import numpy as np
import pytest

from preprocessing.errors import BrokenSourceError, WeightsError
from realtime import pipeline
from realtime.analysis.detection_interval import EveryFrame, EveryNth
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.analysis.tracker import Tracker
from realtime.pipeline import Analysis
from realtime.runtime.stats import Stats
from realtime.sources.open_source import open_source
from realtime.types import Region

FRAMES = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=FRAMES)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.items = []

    def write(self, frame, garments):
        self.items.append((frame.index, [(g.track, g.label.name, g.held) for g in garments]))


def brightest(image):
    """One region, at a place that depends on the picture."""
    x = int(image[0, :, 0].argmax()) % 40
    box = np.array([x, 4, x + 12, 30], np.float32)
    return [Region(box, np.full((26, 12), 255, np.uint8))]


def sure(image, regions):
    return np.tile(np.array([0.9, 0.1], np.float32), (len(regions), 1))


def unmarked(image, garments, text):
    """Draws nothing, so that a frame looks the same whenever it is looked at."""


class Calling(UnscoredLocator):
    """A locator that calls a function."""

    def __init__(self, call, streams=1):
        self._call, self.streams = call, streams

    def __call__(self, image):
        return self._call(image)


def run(video, locate=None, *, sink=None, **more):
    locate = locate or Calling(brightest)
    sink = sink or Collected()
    tracker = Tracker(("Dress", "Bag"), threshold=0.5)
    analysis = Analysis(locate, sure, tracker, annotate=unmarked, title="", **more)
    with open_source(str(video)) as source:
        pipeline.run(source, analysis, [sink], window=None, stats=Stats(),
                     stopped=lambda: False, progress=lambda done: None)  # fmt: skip
    return sink.items


class SideBySide(UnscoredLocator):
    """A locator for several frames at once, which answers the later ones sooner."""

    streams = 3

    def __init__(self):
        self.most = self._busy = 0

    def __call__(self, image):
        self._busy += 1
        self.most = max(self.most, self._busy)
        time.sleep(0.03 if self._busy == 1 else 0.01)
        self._busy -= 1
        return brightest(image)


def test_every_frame_comes_out_in_order(video):
    rows = run(video)
    assert [index for index, _ in rows] == list(range(FRAMES))
    assert {name for _, garments in rows for _, name, _ in garments} == {"Dress"}


@pytest.mark.parametrize("pace", [EveryFrame(), EveryNth(2)])
def test_locating_side_by_side_changes_nothing(video, pace):
    locate = SideBySide()
    assert run(video, locate, pace=pace) == run(video, pace=copy(pace))
    assert locate.most == SideBySide.streams


@pytest.mark.parametrize("streams", [0, 1, 3])
def test_what_goes_wrong_while_looking_is_raised(video, streams):
    seen, sink = [], Collected()

    def locate(image):
        seen.append(1)
        if len(seen) == 5:
            raise WeightsError("broken")
        return brightest(image)

    with pytest.raises(WeightsError, match="broken"):
        run(video, Calling(locate, streams), sink=sink)
    assert 5 <= len(seen) <= 5 + streams
    assert len(sink.items) == 4 or streams > 1


def test_what_was_begun_before_the_source_broke_off_is_kept(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=200, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sink = Collected()
    with pytest.raises(BrokenSourceError) as told:
        run(path, SideBySide(), sink=sink)
    assert len(sink.items) > 5 and f"{len(sink.items)} of 200 frames" in str(told.value)


def test_a_smooth_pace_looks_now_and_then_and_loses_no_garment(video):
    looks = []

    def locate(image):
        looks.append(1)
        return brightest(image)

    rows = run(video, Calling(locate), pace=EveryNth(3))
    assert [index for index, _ in rows] == list(range(FRAMES))
    assert len(looks) == FRAMES // 3
    assert all(garments for _, garments in rows)
    assert {track for _, garments in rows for track, _, _ in garments} == {1}
