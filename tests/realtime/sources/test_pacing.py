"""The pace of streams, on a clock of the test's own."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from realtime.sources.pacing import CATCH_UP, PATIENCE, Pacer, RecentDelays
from realtime.types import Frame

RATE = 25
STEP = 1 / RATE
START = 1000.0  # of the clock
IMAGE = np.zeros((2, 2, 3), np.uint8)


class Clock:
    """A clock that only sleeping and working move."""

    def __init__(self):
        self.now, self.slept = START, 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.now += seconds
        self.slept += seconds


def play(arrivals, *, times=None, analysis=0.0, clock=None):
    """The pacer, its clock, and for each frame the time at which it had its turn, from START on.

    Args:
        arrivals: seconds after START at which each frame can be read.
        times: of the frames in the stream; None for RATE.
        analysis: seconds for each frame, or a function from its index.
    """
    clock = clock or Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    times = times or [index * STEP for index in range(len(arrivals))]

    def frames():
        for index, (arrival, time) in enumerate(zip(arrivals, times, strict=True)):
            clock.now = max(clock.now, START + arrival)
            pts = round(time * 90_000)
            yield Frame(IMAGE, index, pts, Fraction(1, 90_000), START + arrival)

    turns = []
    for frame in pacer.timed(pacer.paced(frames())):
        turns.append(clock.now - START)
        clock.now += analysis(frame.index) if callable(analysis) else analysis
    return pacer, clock, turns


def steps(turns):
    return [after - before for before, after in pairwise(turns)]


def hls(seconds, *, segment=2.0, ready=1):
    """Arrivals of live HLS that is opened when so many segments are there."""
    number = np.arange(round(seconds * RATE)) // round(segment * RATE)
    return [max(0.0, float(n + 1 - ready) * segment) for n in number]


def test_segments_are_played_at_an_even_pace():
    pacer, _, turns = play(hls(20))
    assert steps(turns) == pytest.approx([STEP] * 499)
    assert not pacer.behind and not pacer.may_drop()


def test_a_camera_waits_for_nothing():
    _, clock, turns = play([index * STEP for index in range(100)])
    assert clock.slept == pytest.approx(0) and turns == pytest.approx(np.arange(100) * STEP)


def test_jitter_is_smoothed_and_loses_nothing():
    arrivals = [index * STEP + (0.03 if index % 2 else 0.0) for index in range(200)]
    pacer, _, turns = play(arrivals)
    assert steps(turns)[2:] == pytest.approx([STEP] * 197)
    assert turns[-1] == pytest.approx(arrivals[-1], abs=1e-6) and not pacer.behind


@pytest.mark.parametrize("kind", ["burst", "late start"])
def test_a_camera_that_begins_late_catches_up(kind):
    """It sent what it had at once, or the app was not ready: the delay goes, frame by frame."""
    clock, count = Clock(), 400
    if kind == "burst":
        arrivals = [max(0, index - 2 * RATE) * STEP for index in range(count)]
    else:
        arrivals = [index * STEP for index in range(count)]
        clock.now += 2.0
    _, _, turns = play(arrivals, clock=clock)
    age = [turn - arrival for turn, arrival in zip(turns, arrivals, strict=True)]
    assert age[0] == pytest.approx(2.0 if kind == "late start" else 0.0)
    assert max(age) == pytest.approx(2.0, abs=STEP)
    assert min(steps(turns)) > (1 - CATCH_UP) * STEP - 1e-6  # nothing is rushed through
    assert age[-1] == pytest.approx(0, abs=1e-6)


def test_a_backlog_of_segments_is_caught_up_to_what_segments_need():
    _, _, turns = play(hls(60, ready=3))
    assert turns[-1] == pytest.approx(60 - STEP - 2 * 2.0)  # the time of its segment, no more
    assert steps(turns)[-500:] == pytest.approx([STEP] * 500)


def test_who_sends_far_ahead_is_played_at_its_own_times():
    _, _, turns = play([0.0] * 2000)
    assert steps(turns) == pytest.approx([STEP] * 1999)


def test_a_stall_of_the_network_is_no_fault_of_the_analysis():
    arrivals = [index * STEP + (1.5 if index > 100 else 0.0) for index in range(300)]
    arrivals[101:140] = [arrivals[101]] * 39
    pacer, _, turns = play(arrivals)
    assert not pacer.behind
    assert turns[-1] - arrivals[-1] == pytest.approx(0, abs=1e-6)


def test_a_pause_of_the_analysis_is_made_up_for():
    pacer, _, turns = play(
        [index * STEP for index in range(100)], analysis=lambda index: 0.9 if index == 10 else 0.001
    )
    assert not pacer.behind and turns[-1] == pytest.approx(99 * STEP)


def test_a_slow_analysis_is_behind_until_it_keeps_up_again():
    seen = []
    clock = Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)

    def frames():
        for index in range(1000):
            arrival = START + index * STEP
            clock.now = max(clock.now, arrival)
            yield Frame(IMAGE, index, index, Fraction(1, RATE), arrival)

    paced = pacer.paced(frames())
    late_from = None
    for frame in pacer.timed(paced):
        if pacer.behind:
            late_from = frame.index if late_from is None else late_from
            while clock.now > frame.captured + STEP:  # as a queue that keeps the newest
                frame = next(paced)
        seen.append(pacer.behind)
        clock.now += 1.5 * STEP if frame.index < 400 else 0.1 * STEP
    # It loses half a frame's time with each: so the patience ends after a while.
    assert late_from == pytest.approx(PATIENCE / (STEP / 2), abs=2)
    assert seen[-1] is False and seen.count(True) > 150


def test_waiting_for_a_stopped_analysis_ends():
    """The queue asks while it waits: a window that is paused must not stop the reading."""
    clock = Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    next(pacer.paced([Frame(IMAGE, 0, 0, Fraction(1, RATE), START)]))
    assert not pacer.may_drop()
    clock.now += PATIENCE + 0.1
    assert pacer.may_drop() and not pacer.behind


@pytest.mark.parametrize("jump", [3600.0, 7.0])
def test_a_jump_of_the_clock_is_not_waited_for(jump):
    times = [index * STEP + (jump if index >= 50 else 0.0) for index in range(200)]
    pacer, _, turns = play([index * STEP for index in range(200)], times=times)
    assert turns == pytest.approx(np.arange(200) * STEP) and not pacer.behind


@pytest.mark.parametrize(("later", "spare"), [(1.0, 0.0), (10.0, 1.0)])
def test_a_delay_that_was_needed_once_is_forgotten(later, spare):
    recent = RecentDelays()
    for index in range(round((2 + later) * RATE)):
        recent.add(index * STEP, index * STEP + (1.0 if index == 2 * RATE - 1 else 0.0))
    assert recent.spare(1.0) == pytest.approx(spare)
