"""Several cameras of one command: the figures of all, and a run of two."""

from realtime.bench.live.streams import measure_streams, total


def report(written, dropped, fps, locate):
    return {
        "frames": {"written": written, "dropped": dropped},
        "fps": fps,
        "stages_ms": {"locate": {"count": locate, "mean": 10.0}, "draw": {}},
    }


def test_figures_are_those_of_all_cameras():
    found = total([report(30, 10, 15.0, 10), report(10, 0, 5.0, 10)])
    assert (found.rate, found.written, found.dropped) == (20.0, 40, 10)
    assert found.stages == {"locate": 5.0, "draw": 0.0}
    assert str(found).startswith("20 frames a second in all, 10 dropped of 50; ms a frame: locate")


def test_two_cameras_run_at_the_same_time(tmp_path):
    light = ("--model", "deep", "--locate", "none")
    found = measure_streams(tmp_path, streams=2, rate=10, seconds=1, flags=light)
    assert found.written + found.dropped >= 4 and found.rate > 0
