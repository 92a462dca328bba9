"""Progress: plain lines for people without a terminal, counts in the log."""

import logging

import make
import pytest

from realtime.runtime import progress
from realtime.runtime.progress import LINE_SECONDS, LOG_SECONDS, Progress
from realtime.runtime.stats import Stats


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_a_plain_line_now_and_then(clock, capsys):
    with Progress(make.info(frames=1000), Stats()) as done:
        for clock.now in (1.0, LINE_SECONDS, LINE_SECONDS + 1, 2 * LINE_SECONDS):
            done(int(10 * clock.now))
    assert capsys.readouterr().err.splitlines() == [
        "100 frames of 1000, 90 s left, 10 fps",
        "200 frames of 1000, 80 s left, 10 fps",
    ]


def test_quiet_sources_print_nothing(clock, capsys):
    with Progress(make.info(frames=1000), Stats(), quiet=True) as done:
        clock.now = LINE_SECONDS
        done(100)
    assert capsys.readouterr().err == ""


def test_counts_are_logged_at_the_start_now_and_then_and_at_the_end(clock, caplog):
    caplog.set_level(logging.INFO, logger="realtime")
    stats = Stats()
    with Progress(make.info("in.mp4"), stats, quiet=True) as done:
        clock.now, stats.read, stats.dropped = LOG_SECONDS, 60, 2
        done(58)
    first, running, ended = caplog.messages
    assert first == "source opened: in.mp4, 64x48, 10 fps"
    assert "running, frames: 60 read, 0 written, 2 dropped, 0 failed" in running
    assert "ended, outputs closed" in ended
