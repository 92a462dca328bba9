"""Frames are drawn while others are analysed; results are carried on by the pixels' motion."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import WeightsError
from realtime.analysis.detection_interval import EveryFrame
from realtime.analysis.live.latency import LatencyTrial
from realtime.analysis.live.live_analysis import LiveAnalysis
from realtime.analysis.live.results import Result
from realtime.analysis.motion_gate import MotionGate
from realtime.runtime.stats import Stats
from realtime.types import Frame, Garment, Label, Region

SIDE, TOP, STEP = 80, 90, 6  # pixels of a square of cloth, and of its motion a frame
CLOTH = np.kron(
    np.random.default_rng(0).integers(0, 255, (SIDE // 4, SIDE // 4, 3), np.uint8),
    np.ones((4, 4, 1), np.uint8),
)


def frame(index, *, place=None, ground=120, size=(240, 320)):
    """A square of cloth that goes to the right; a frame comes every 0.1 s."""
    image = np.full((*size, 3), ground, np.uint8)
    left = 20 + STEP * (index if place is None else place)
    image[TOP : TOP + SIDE, left : left + SIDE] = CLOTH
    return Frame(image, index, index, Fraction(1, 10), captured=10 + 0.1 * index)


def left_of(number):
    return 20 + STEP * number


class Stages:
    """Stand-ins that know where the cloth is; each begins when it may, for as long as it may."""

    def __init__(self, *, settled=True):
        self.settled, self.fails = settled, ""
        self.detected, self.requests = [], []
        self.may_detect, self.may_label = threading.Semaphore(10_000), threading.Semaphore(10_000)
        self.known = 0

    def block(self):
        self.may_detect, self.may_label = threading.Semaphore(0), threading.Semaphore(10_000)

    def block_labels(self):
        self.may_label = threading.Semaphore(0)

    def detect(self, of):
        self.detected.append(of.index)
        assert self.may_detect.acquire(timeout=DEADLINE)
        if self.fails == "detect":
            raise WeightsError("no detection")
        left = int(np.flatnonzero((of.image[TOP + 40] != of.image[0, 0]).any(axis=1))[0])
        return [Region.from_box(np.float32((left, TOP, left + SIDE, TOP + SIDE)))]

    def label(self, request, regions, early):
        self.requests.append(request)
        early(self._result(request, regions, "early"))
        self.known += 1
        assert self.may_label.acquire(timeout=DEADLINE)
        if self.fails == "label":
            raise WeightsError("no label")
        return self._result(request, regions, "final")

    def _result(self, request, regions, name):
        label = Label(f"{name} {request.frame.index}", 0.9)
        garments = [Garment(region, 1, label) for region in regions]
        return Result(regions, garments, settled=self.settled)

    @contextmanager
    def live(self, *, waits=False, start=None):
        with LiveAnalysis(
            detect=self.detect, label=self.label, gate=MotionGate(), interval=EveryFrame(),
            stats=Stats(), trial=LatencyTrial(), waits=waits, start=start,
        ) as live:  # fmt: skip
            try:
                yield live
            finally:
                self.may_detect.release(10_000)
                self.may_label.release(10_000)


def shown(labelled):
    """Labels, lefts of boxes in whole pixels, and whether they are held."""
    return [(g.label.name, round(float(g.region.box[0])), g.held) for g in labelled.garments]


def begin(live):
    """The first frame, with its labels, which later ones begin with."""
    live(frame(0))
    live.finish()


def near(labelled, name, number):
    """True if the one garment has a label, and lies on the cloth of a frame."""
    ((label, left, _),) = shown(labelled)
    return label == name and abs(left - left_of(number)) <= 2


def test_the_first_frame_of_a_scene_waits_only_where_frames_of_a_file_do():
    with Stages().live(waits=True) as live:
        labelled = live(frame(0))
        assert shown(labelled) == [("final 0", 20, False)] and labelled.detected == 10.0
        assert near(live(frame(1, ground=20)), "final 1", 1)
    stages = Stages()
    stages.block()
    with stages.live() as live:
        labelled = live(frame(0))
        assert shown(labelled) == [] and labelled.detected is None


def test_frames_are_drawn_while_one_is_analysed_and_boxes_stay_on_the_cloth():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        drawn = [live(frame(index)) for index in range(1, 8)]
        assert until(lambda: stages.detected == [0, 1])  # and that one has not ended
        assert all(near(one, "final 0", one.frame.index) for one in drawn)
        assert [one.detected for one in drawn] == [10.0] * 7
        stages.may_detect.release()
        live.finish()  # the result of frame 1, brought to frame 7
        labelled = live(frame(8))
        assert near(labelled, "final 1", 8) and labelled.detected == pytest.approx(10.1)


def test_labels_known_before_the_classifier_has_run_are_drawn_meanwhile():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block_labels()
        live(frame(1))
        assert until(lambda: stages.known == 2)
        assert near(live(frame(2)), "early 1", 2)
        assert until(lambda: stages.detected == [0, 1, 2])  # while 1 is still labelled
        stages.may_label.release(2)
        live.finish()
        assert near(live(frame(3)), "final 2", 3)


def test_labels_that_come_later_for_the_same_boxes_go_on_with_them():
    stages, drawn = Stages(), []

    def final_labels():
        drawn.append(live(frame(3 + len(drawn))))
        return shown(drawn[-1])[0][0] == "final 1"

    with stages.live() as live:
        begin(live)
        stages.block()
        stages.block_labels()
        live(frame(1))
        stages.may_detect.release()
        assert until(lambda: stages.known == 2)
        assert near(live(frame(2)), "early 1", 2)
        stages.may_label.release()  # of frame 1, while 2 is detected
        until(final_labels)
        assert all(near(one, "early 1", one.frame.index) for one in drawn[:-1])
        assert near(drawn[-1], "final 1", drawn[-1].frame.index)


def test_an_older_result_never_replaces_a_newer_one():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        for index in range(1, 40):
            live(frame(index % 20))
            live.finish()
            numbers = [request.frame.index for request in stages.requests]
            assert shown(live(frame(index % 20)))[0][0] == f"final {numbers[-1]}"
            live.finish()


@pytest.mark.parametrize("stage", ["detect", "label"])
def test_an_error_is_raised_at_the_next_frame_or_at_the_end(stage):
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.fails = stage
        live(frame(1))
        with pytest.raises(WeightsError, match="no "):
            live.finish()
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.fails = stage
        with pytest.raises(WeightsError, match="no "):
            for index in range(1, 10**6):  # until the threads have come so far
                live(frame(index % 20))


def test_labels_of_the_frame_before_are_carried_on():
    stages = Stages()
    with stages.live(waits=True) as live:
        last = live(frame(0))
    stages.block()
    with stages.live(start=last) as live:
        drawn = [live(frame(index)) for index in range(1, 4)]
    assert all(near(one, "final 0", one.frame.index) for one in drawn)
    assert [one.detected for one in drawn] == [10.0] * 3


def test_a_scene_cut_clears_labels_and_those_under_way():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        live(frame(1))
        cut = live(frame(2, ground=20))
        assert shown(cut) == [] and cut.detected is None
        stages.may_detect.release()
        live.finish()
        assert shown(live(frame(3, ground=20))) == []  # the other scene's result is not drawn
        stages.may_detect.release()
        live.finish()
        assert near(live(frame(4, ground=20)), "final 3", 4)
        stages.may_detect.release(5)
        live.finish()
    assert [request.scene_cut for request in stages.requests[:4]] == [False, False, True, False]


def test_another_size_clears_labels():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        assert shown(live(frame(1, size=(480, 640)))) == []
        stages.may_detect.release(5)
        live.finish()
        assert near(live(frame(2, size=(480, 640))), "final 1", 2)


def test_still_frames_hold_labels_cost_no_analysis_and_do_not_age():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        drawn = [live(frame(index, place=0)) for index in range(1, 10)]
    assert [shown(one) for one in drawn] == [[("final 0", 20, True)]] * 9
    assert stages.detected == [0] and len(stages.requests) == 1
    assert [one.frame.captured - one.detected for one in drawn] == pytest.approx([0.0] * 9)


def test_what_came_to_rest_is_detected_once_more():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        for index in range(1, 5):
            live(frame(index))
        stages.may_detect.release(9)
        live.finish()
        for index in range(5, 20):
            live(frame(index, place=4))
            live.finish()
    assert stages.detected[:2] == [0, 1] and len(stages.detected) == 3


def test_still_frames_are_voted_for_until_labels_settle():
    stages = Stages(settled=False)
    with stages.live() as live:
        begin(live)
        for index in range(1, 4):
            assert not shown(live(frame(index, place=0)))[0][2]
            live.finish()
    assert stages.detected == [0]
    assert [request.regions is None for request in stages.requests] == [True, False, False, False]


def test_tracks_get_the_regions_of_the_frames_between():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        for index in range(1, 5):
            live(frame(index))
        stages.may_detect.release(9)
        live.finish()
        live(frame(5))
        live.finish()
    between = stages.requests[-1].between
    lefts = [float(region.box[0]) for (region,) in between]
    assert lefts == pytest.approx([left_of(index) for index in (2, 3, 4)], abs=2)


def test_frames_wait_for_an_analysis_that_seems_to_hang():
    """So that whoever watches for frames notices it."""
    stages, drawn = Stages(), []
    with stages.live() as live:
        begin(live)
        stages.block()
        live(frame(1))
        later = threading.Thread(target=lambda: drawn.append(live(frame(200, place=2))))
        later.start()
        stages.may_detect.release()
        later.join(DEADLINE)
        assert near(drawn[0], "final 1", 2)


def test_a_long_analysis_keeps_few_frames():
    stages = Stages()
    with stages.live() as live:
        begin(live)
        stages.block()
        for index in range(1, 301):
            live(replace(frame(index, place=index % 2), captured=10.0))
        (pending,) = live._pending
        assert len(pending.frames) <= 64
        stages.may_detect.release(9)
        live.finish()
        assert len(shown(live(frame(301, place=0)))) == 1
