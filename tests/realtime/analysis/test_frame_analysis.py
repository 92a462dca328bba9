"""People and their garments through the stages of a frame."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from preprocessing.labels import LAYERS
from realtime.analysis.detection_interval import DETECTION_INTERVALS, ByMotion
from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.live.latency import AUTO, EXACT, LATENCIES, LIVE
from realtime.analysis.tracks import TrackManager
from realtime.runtime.stats import Stats
from realtime.types import Beside, Frame, Person, Region

SIZE = (320, 480)
CLASSES = ("t-shirt", "pants")


class Dressed:
    """Finds two people, who wear a top and trousers each, in every other order."""

    info, streams, every = None, 1, 3

    def __init__(self):
        self.calls = 0

    def __call__(self, image):
        self.calls += 1
        found = []
        for left in (40, 300)[:: 1 if self.calls % 2 else -1]:
            person = Person(np.float32((left, 20, left + 120, 300)))
            for layer, top, bottom in (("top", 60, 160), ("trousers", 160, 290)):
                scores = np.zeros(len(LAYERS), np.float32)
                scores[LAYERS.index(layer)] = 0.9
                box = np.float32((left + 10, top, left + 110, bottom))
                mask = Region.from_box(box).mask
                found.append(Region(box, mask, scores, wearer=person))
        return found


def classify(image, regions):
    return np.tile(np.float32((0.9, 0.1)), (len(regions), 1))


def frames(count):
    """Two people in red and blue, under a light that changes: every frame moves."""
    for index in range(count):
        image = np.full((*SIZE, 3), 90 + 40 * (index % 2), np.uint8)
        image[60:290, 50:150], image[60:290, 310:410] = (0, 0, 200), (200, 0, 0)
        image[60:290:8] = 255
        yield Frame(image, index, index, Fraction(1, 15), captured=0.0)


def analysis(interval):
    return FrameAnalysis(
        Dressed(),
        classify,
        TrackManager(CLASSES, threshold=0.5),
        annotator=None,
        title="",
        interval=DETECTION_INTERVALS[interval](Dressed.every),
    )


def test_people_keep_their_numbers_and_garments_their_tracks():
    for interval in ("every-frame", "smooth"):
        stages, seen = analysis(interval), set()
        for frame in frames(9):
            garments = stages(frame, Stats())
            assert len(garments) == 4
            for garment in garments:
                side = "left" if garment.region.box[0] < 200 else "right"
                layer = LAYERS[garment.region.scores.argmax()]
                seen.add((side, layer, garment.person, garment.track))
        assert len(seen) == 4, interval
        people = {(side, person) for side, _, person, _ in seen}
        assert sorted(person for _, person in people) == [1, 2]


def test_after_a_scene_cut_nobody_is_the_same_person():
    stages = analysis("every-frame")
    *_, before = (stages(frame, Stats()) for frame in frames(4))
    stages.person_tracker.start_scene()
    stages.tracks.start_scene()
    *_, after = (stages(frame, Stats()) for frame in frames(4))
    assert {garment.person for garment in before} == {1, 2}
    assert {garment.person for garment in after} == {3, 4}


def moments(count):
    """The same frames, each captured at its own time."""
    return (replace(frame, captured=frame.time) for frame in frames(count))


def fresh_from(stages):
    """Frames drawn until 30 in a row have labels of their own, or 300 in all."""
    fresh = 0
    drawn = stages.analysed(moments(10**5), Stats(), concurrent=False, beside=Beside.ALWAYS)
    for number, labelled in enumerate(drawn, start=1):
        fresh = fresh + 1 if labelled.detected == labelled.frame.captured else 0
        if fresh == 30 or (number == 300 and stages.latency == LIVE):
            break
    drawn.close()
    return number, fresh


def test_frames_of_live_sources_wait_where_that_is_fast_or_asked_for(monkeypatch):
    monkeypatch.setattr("realtime.analysis.live.latency.KEEPS_UP", 1e9)  # however busy this is
    for latency, waits in ((EXACT, True), (AUTO, True), (LIVE, False)):
        stages = replace(analysis("every-frame"), latency=latency)
        number, fresh = fresh_from(stages)
        assert (fresh == 30) == waits
        assert (number == 30) == (latency == EXACT)


def test_frames_that_wait_are_detected_as_often_as_those_that_do_not(monkeypatch):
    """By motion: these flicker everywhere, so that each is due."""
    monkeypatch.setattr("realtime.analysis.live.latency.KEEPS_UP", 1e9)
    stages = replace(analysis("smooth"), live_interval=ByMotion(1))
    number, fresh = fresh_from(stages)
    assert fresh == 30 and number > 30


def test_files_are_analysed_the_same_beside_a_latency():
    for latency in LATENCIES:
        stages, locator = replace(analysis("smooth"), latency=latency), Dressed()
        stages.locator = locator
        drawn = list(stages.analysed(moments(9), Stats(), concurrent=False))
        assert [len(one.garments) for one in drawn] == [4] * 9 and locator.calls == 3
        assert [round(15 * one.detected) for one in drawn] == [0, 0, 0, 3, 3, 3, 6, 6, 6]
