"""Parts of sources, and single frames of them: which come, at which times, and what is read."""

from fractions import Fraction

import av
import make
import pytest

from preprocessing.errors import SourceError, UsageError
from realtime.runtime.cut import Cut
from realtime.sources import cameras, skipping
from realtime.sources.open_source import open_source

FRAMES = 120  # four seconds, a key frame in twelve frames


@pytest.fixture(autouse=True)
def seek_at_once(monkeypatch):
    monkeypatch.setattr(skipping, "SEEKING", 0.3)


def frames_of(path, **options):
    """The index that each frame's picture shows, and its time to the millisecond."""
    with open_source(str(path), **options) as source:
        return [(make.index_of(frame.image), round(frame.time, 3)) for frame in source]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_cut_has_the_frames_of_the_whole_from_0_on(tmp_path, suffix, codec):
    path = make.clip(tmp_path / f"a{suffix}", frames=FRAMES, codec=codec, gop=12)
    cut = frames_of(path, cut=Cut(start=Fraction("3.1"), end=Fraction("3.6")))
    wanted = [(number % 24, round((number - 93) / 30, 3)) for number in range(93, 108)]
    assert [index for index, _ in cut] == [index for index, _ in wanted]
    assert [time for _, time in cut] == pytest.approx([time for _, time in wanted], abs=0.0011)
    spread = frames_of(path, cut=Cut(start=Fraction(1), every=Fraction("0.7")))
    assert spread == [(index, pytest.approx(time, abs=0.0011)) for index, time in
                      [(6, 0), (3, 0.7), (0, 1.4), (21, 2.1), (18, 2.8)]]  # fmt: skip


def test_what_lies_before_a_cut_is_not_decoded(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=FRAMES, gop=12)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[places[20] : places[50]] = bytes(places[50] - places[20])
    path.write_bytes(data)
    with open_source(str(path), cut=Cut(start=Fraction(3))) as source:
        assert [make.index_of(frame.image) for frame in source] == [n % 24 for n in range(90, 120)]
        assert source.failed == 0 and source.info.part.sought
        assert source.info.frames == 30 and source.info.part.since == 0


def test_recordings_that_were_joined_are_read_from_their_start(tmp_path):
    one = make.clip(tmp_path / "one.ts", frames=60).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(one + one)
    with open_source(str(path), cut=Cut(start=Fraction("2.5"))) as source:
        frames = list(source)
    assert [make.index_of(frame.image) for frame in frames] == [n % 24 for n in range(15, 60)]
    assert not source.info.part.sought and frames[-1].time == pytest.approx(44 / 30, abs=1e-3)


def test_a_file_without_key_frames_in_between(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=FRAMES, gop=1000)
    cut = Cut(start=Fraction(1), every=Fraction(1))
    assert frames_of(path, cut=cut) == [(6, 0), (12, 1), (18, 2)]


def test_kept_times_of_a_cut_are_the_files_own(tmp_path):
    path = make.clip(tmp_path / "a.mkv", pts=list(range(300, 360)))
    assert frames_of(path, cut=Cut(start=Fraction(1)))[0] == (6, 0)
    assert frames_of(path, cut=Cut(start=Fraction(1)), keep_times=True)[0] == (6, 11)


def test_cuts_beyond_the_end(tmp_path, caplog):
    path = make.clip(tmp_path / "a.mp4", frames=60)
    assert len(frames_of(path, cut=Cut(start=Fraction(1), end=Fraction(9)))) == 30
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} ends at 0:00:02.000, before --end 0:00:09.000"
    ]
    with pytest.raises(SourceError, match=r"--start 0:00:02.000 is beyond the end.*0:00:02.000"):
        open_source(str(path), cut=Cut(start=Fraction(2)))
    with pytest.raises(UsageError, match=r"--end 0:00:01.000 must be after --start 0:00:01.500"):
        Cut(start=Fraction("1.5"), end=Fraction(1))


class Clock:
    """In place of the module time: sleeping takes no time, and the clock moves all the same."""

    now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_the_end_of_a_live_source_is_its_length(monkeypatch):
    monkeypatch.setattr(cameras, "time", Clock())
    with open_source("fake://100fps", cut=Cut(end=Fraction("0.3"), every=Fraction("0.1"))) as live:
        times = [frame.time for frame in live]
        assert live.info.rate == 10 and times == pytest.approx([0, 0.1, 0.2], abs=0.011)
    with pytest.raises(UsageError, match="--start needs a file: fake://"):
        open_source("fake://100fps", cut=Cut(start=Fraction(1)))
