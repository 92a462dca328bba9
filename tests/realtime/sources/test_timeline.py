"""Recordings joined end to end become one."""

from fractions import Fraction

import make
import pytest

from realtime.sources.open_source import open_source


def times(path, **options):
    with open_source(str(path), **options) as source:
        return [frame.pts * frame.time_base for frame in source]


@pytest.mark.parametrize("apart", [0, -36_000, 36_000])
def test_joined_transport_streams(tmp_path, apart):
    """The second recording's clock begins where the first one's did, hours before or after."""
    clip = make.clip(tmp_path / "clip.mp4", frames=60)
    first, second = (
        make.remuxed(clip, tmp_path / name, options={"output_ts_offset": str(start)})
        for name, start in (("a.ts", 40_000), ("b.ts", 40_000 + apart))
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert times(joined) == [Fraction(index, 30) for index in range(120)]


def test_a_pause_is_kept(tmp_path):
    """Only transport streams jump forward: in other files a picture may stand for long."""
    ticks = [0, 40, 20_000, 20_040]
    path = make.clip(tmp_path / "a.mkv", pts=ticks, time_base=Fraction(1, 1000))
    assert times(path) == [Fraction(tick, 1000) for tick in ticks]


def test_the_sources_clock_can_be_kept(tmp_path):
    ticks = [5000, 5040, 5080]
    path = make.clip(tmp_path / "a.mkv", pts=ticks, time_base=Fraction(1, 1000))
    assert times(path) == [0, Fraction(1, 25), Fraction(2, 25)]
    assert times(path, keep_times=True) == [Fraction(tick, 1000) for tick in ticks]
