"""Whether frames wait for labels is chosen by the times of the first analyses."""

import pytest

from realtime.analysis.live.latency import LatencyTrial


def trial(*, rate, seconds, analyses, length=2.0):
    found = LatencyTrial()
    times = [index / rate for index in range(round(length * rate))]
    for index, time in enumerate(times):
        found.frame(time)
        if index % max(1, len(times) // analyses) == 0:
            found.analysed(9.0 if index == 0 else seconds)  # the first one loads networks
    return found


@pytest.mark.parametrize(
    ("rate", "seconds", "keeps_up"),
    [(30, 0.014, True), (30, 0.016, True), (30, 0.018, False), (30, 0.17, False), (2, 0.17, True)],
)
def test_frames_wait_where_analyses_take_half_of_their_interval(rate, seconds, keeps_up):
    found = trial(rate=rate, seconds=seconds, analyses=4, length=6)
    assert found.keeps_up == keeps_up


def test_a_second_and_three_analyses_decide():
    assert not trial(rate=30, seconds=0.01, analyses=10, length=0.9).keeps_up
    assert not trial(rate=30, seconds=0.01, analyses=2, length=9.0).keeps_up
    found = trial(rate=30, seconds=0.01, analyses=10)
    assert str(found) == "an analysis takes 10 ms, frames come every 33"


def test_frames_that_wait_too_long_wait_no_more():
    found = trial(rate=30, seconds=0.01, analyses=10)
    for seconds in (0.05, 0.05, 0.05, 0.02, 0.02, 0.02, 0.02, 0.02):
        found.waited(seconds)
    assert found.keeps_up and not found.falls_behind
    for _ in range(5):
        found.waited(0.05)
    assert found.falls_behind
