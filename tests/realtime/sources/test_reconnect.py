"""Live sources that are lost and come back: counts, times and log lines go on over the gap."""

import logging
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from waiting import DEADLINE

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources import reconnect
from realtime.sources.reconnect import ReconnectingSource
from realtime.types import Frame, SourceInfo

INFO = SourceInfo("unsteady", 64, 48, Fraction(30), Fraction(1, 30), None, live=True)
STALL = 1.0  # seconds; on a busy machine a thread may come to nothing for some tenths


class Unsteady:
    """Gives `frames` pictures, then ends, breaks off or hangs until it is `released`."""

    def __init__(self, frames, then="end", size=(48, 64)):
        self.info, self.failed, self.closed = INFO, 0, False
        self.released = threading.Event()
        self._frames, self._then, self._size = frames, then, size

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.closed = True

    def __iter__(self):
        for index in range(self._frames):
            image = np.zeros((*self._size, 3), np.uint8)
            yield Frame(image, index, index, Fraction(1, 30), time.monotonic())
        if self._then == "break":
            raise BrokenSourceError("the cable is out")
        if self._then == "hang":
            self.released.wait(DEADLINE)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(reconnect, "STALL_SECONDS", STALL)
    monkeypatch.setattr(reconnect, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(reconnect, "LONGEST_PAUSE", 0.02)


def take(source, first, count):
    """So many frames; then `first`, which may hang, is released."""
    with source:
        frames = iter(source)
        taken = [next(frames) for _ in range(count)]
        frames.close()
    first.released.set()
    return taken


@pytest.mark.parametrize(
    ("then", "reason"),
    [("end", "ended"), ("break", "the cable is out"), ("hang", f"no picture for {STALL:g} s")],
)
def test_a_lost_source_resumes(then, reason, quick, caplog):
    first, second = Unsteady(3, then), Unsteady(4, size=(24, 32))
    source, heard = ReconnectingSource(first, lambda: second, patience=5), []
    source.info.connection.listener = lambda lost, seconds, reason: heard.append((lost, reason))
    with caplog.at_level(logging.WARNING, reconnect.__name__):
        taken = take(source, first, 7)
    assert [frame.index for frame in taken] == list(range(7))
    assert taken[-1].image.shape == (24, 32, 3)
    ticks = [frame.pts for frame in taken]
    assert ticks == sorted(set(ticks))
    assert source.failed == 1
    assert heard == [(True, reason), (False, "")]
    lost, back = caplog.messages
    assert lost == f"unsteady: {reason}; trying again for 5 s" and "back after" in back


def test_a_gap_stays_a_gap(quick):
    first = Unsteady(2, "hang")
    taken = take(ReconnectingSource(first, lambda: Unsteady(2), patience=5), first, 3)
    assert taken[2].time - taken[0].time >= 0.3


def test_frames_of_a_burst_keep_their_own_times(quick):
    """A stream's frames come many at once, each with its time; the next connection goes on."""
    first, second = Unsteady(30), Unsteady(30)
    taken = take(ReconnectingSource(first, lambda: second, patience=5), first, 60)
    times = [frame.time for frame in taken]
    assert times[:30] == pytest.approx([n / 30 for n in range(30)], abs=1e-4)
    assert np.diff(times[30:]) == pytest.approx([1 / 30] * 29, abs=1e-4)
    assert times[30] > times[29]


def test_the_end_of_patience_is_an_error(quick):
    def gone():
        raise SourceError("no route to host")

    source = ReconnectingSource(Unsteady(2), gone, patience=0.1)
    with pytest.raises(BrokenSourceError, match=r"0\.1 s \(no route to host\).*2 frames"):
        list(source)


def test_an_unused_source_is_closed():
    first = Unsteady(1)
    with ReconnectingSource(first, lambda: first, patience=1):
        pass
    assert first.closed
