"""Sinks on threads of their own: one that stalls or cannot write holds up itself alone."""

import errno
import itertools
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import make
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import ClosedPipeError, SinkError
from realtime.runtime import worker
from realtime.runtime.stats import Stats
from realtime.sinks import delivery
from realtime.sinks.delivery import delivering

FRAMES = 60
PIPE = Path("/dev/null")  # no plain file: somebody may read it


class Kept:
    """A sink that keeps the indices of its frames; `write` first calls a function, if any."""

    needs_picture = False

    def __init__(self, call=None, target=Path("rows.jsonl")):
        self.target, self._call = target, call
        self.frames, self.ended = [], None

    def open(self, info):
        pass

    def write(self, labelled):
        if self._call:
            self._call(labelled.frame.index)
        self.frames.append(labelled.frame.index)

    def close(self, *, complete):
        self.ended = complete


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for module in (worker, delivery):
        monkeypatch.setattr(module, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(delivery, "WAITING_BYTES", 8 * 64 * 48 * 3)


@pytest.fixture
def reader():
    """Somebody who reads on when asked to, at the latest after the test."""
    event = threading.Event()
    yield event
    event.set()


def deliver(*sinks, live, frames=FRAMES, stats=None, stopped=lambda: False, each=lambda n: None):
    info = replace(make.info(), live=live)
    with delivering(sinks, info, stats or Stats(), stopped=stopped) as send:
        for number in range(frames):
            send(make.labelled(number))
            each(number)


def stalling(event, at=3):
    return lambda index: event.wait(DEADLINE) if index == at else None


@pytest.mark.parametrize("live", [True, False])
def test_a_reader_that_stalls_holds_up_its_own_sink_alone(reader, caplog, live):
    video, stats = Kept(), Stats()
    pipe = Kept(stalling(reader), target=PIPE)
    with pytest.raises(SinkError, match=r"/dev/null takes nothing any more.*57 in all"):
        deliver(video, pipe, live=live, stats=stats)
    assert video.frames == list(range(FRAMES)) and video.ended
    assert stats.written == FRAMES
    assert pipe.frames == [0, 1, 2] and pipe.ended is None
    assert [record.getMessage() for record in caplog.records] == [
        "/dev/null: it does not keep up: frames are left out of it, the others go on"
    ]


def test_a_reader_that_reads_on_gets_later_frames(reader, caplog):
    """What it lacks is counted; that is no failure."""
    video, stats, pipe = Kept(), Stats(), Kept(stalling(reader), target=PIPE)

    def each(number):
        if number == FRAMES // 2:
            reader.set()
            until(lambda: len(pipe.frames) > 5)

    with caplog.at_level(logging.WARNING):
        deliver(video, pipe, live=True, stats=stats, each=each)
    assert video.frames == list(range(FRAMES))
    lacking = FRAMES - len(pipe.frames)
    assert stats.report()["left_out"] == {"/dev/null": lacking} and lacking > 10
    assert pipe.frames == sorted(pipe.frames) and pipe.frames[-1] > FRAMES // 2
    assert f"/dev/null lacks {lacking} frames" in caplog.text


def test_the_only_reader_of_a_file_is_waited_for(reader):
    pipe = Kept(stalling(reader), target=PIPE)
    release = threading.Timer(1.0, reader.set)  # longer than it takes to stall
    release.start()
    deliver(pipe, live=False)
    assert pipe.frames == list(range(FRAMES)) and pipe.ended


@pytest.mark.parametrize("live", [True, False])
def test_a_signal_ends_the_wait_for_it(reader, live):
    asked, pipe = itertools.count(), Kept(stalling(reader), target=PIPE)
    with pytest.raises(SinkError, match="takes nothing any more"):
        deliver(pipe, live=live, stopped=lambda: next(asked) > 3)
    assert pipe.frames == [0, 1, 2]


def test_files_beside_each_other_lose_nothing(reader):
    """A disk that is slow holds up a file's other outputs, but no frame is left out."""
    video, rows = Kept(), Kept(stalling(reader))
    release = threading.Timer(1.0, reader.set)
    release.start()
    deliver(video, rows, live=False)
    assert video.frames == rows.frames == list(range(FRAMES))


def test_an_output_that_cannot_be_written_for_now_is_tried_again(monkeypatch, caplog):
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.0)

    def full(index):
        if 3 <= index < 9:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    video, rows, stats = Kept(), Kept(full), Stats()
    deliver(video, rows, live=False, stats=stats)
    assert video.frames == list(range(FRAMES)) and rows.ended
    assert rows.frames == [0, 1, 2, *range(9, FRAMES)] and stats.left_out == {"rows.jsonl": 6}
    first, last = caplog.messages
    assert "Too many open files" in first and last == "rows.jsonl lacks 6 frames"


def test_one_that_never_can_ends_with_its_error_and_the_video_whole():
    def full(index):
        raise SinkError("disk full")

    video, rows = Kept(), Kept(full)
    with pytest.raises(SinkError, match=f"disk full; {FRAMES} frames are not in it"):
        deliver(video, rows, live=False)
    assert video.frames == list(range(FRAMES)) and video.ended and rows.ended


@pytest.mark.parametrize(("first", "error"), [(True, SinkError), (False, ClosedPipeError)])
def test_the_video_or_a_reader_that_leaves_ends_the_run(first, error):
    def broken(index):
        if index == 3:
            raise error("it is gone")

    other, broken = Kept(), Kept(broken)
    sinks = (broken, other) if first else (other, broken)
    with pytest.raises(error, match="it is gone"):
        deliver(*sinks, live=True, frames=10_000)
    assert len(other.frames) < 10_000 and not other.ended


def test_a_server_that_accepts_and_is_silent_does_not_hold_up_the_start(reader, monkeypatch):
    monkeypatch.setattr(delivery, "OPENING_SECONDS", 0.1)
    first, silent = Kept(), Kept(target="rtmp://me:secret@host/live")
    silent.open = lambda info: reader.wait(DEADLINE)
    with pytest.raises(
        SinkError, match=r"rtmp://\S*host/live does not open within 0\.1 s"
    ) as error:
        deliver(first, silent, live=True)
    assert "secret" not in str(error.value) and first.ended is False
    reader.set()
    until(lambda: silent.ended is False)


def test_a_signal_ends_the_wait_for_its_answer(reader):
    silent = Kept(target="rtsp://host/live")
    silent.open = lambda info: reader.wait(DEADLINE)
    with pytest.raises(SinkError, match="did not open before the end"):
        deliver(silent, live=True, stopped=lambda: True)
    reader.set()
    until(lambda: silent.ended is False)


def test_a_sink_for_the_newest_frames_drops_older_ones(reader, caplog):
    page = Kept(stalling(reader, at=0))
    page.newest = True
    deliver(Kept(), page, live=True, each=lambda n: reader.set() if n == FRAMES - 1 else None)
    assert page.frames[-1] == FRAMES - 1 and not caplog.messages
