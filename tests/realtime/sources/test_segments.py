"""Segments make up their file, with its frames' indices and times."""

from fractions import Fraction

import av
import av.logging
import make
import pytest

from preprocessing.errors import SourceError
from realtime.runtime.cut import Cut
from realtime.sources.open_source import open_source
from realtime.sources.segments import SegmentSource, segments_of
from realtime.types import Part


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.ts", "in.avi"])
def test_segments_make_up_the_file(tmp_path, name):
    path = str(make.clip(tmp_path / name, frames=50, size=(160, 120)))
    with open_source(path) as source:
        whole = [(frame.index, frame.time, make.index_of(frame.image)) for frame in source]
    segments = segments_of(path, 20)
    assert [(segment.first, segment.last) for segment in segments] == [(0, 20), (20, 40), (40, 50)]
    found = []
    for segment in segments:
        with SegmentSource(segment) as source:
            found += [(frame.index, frame.time, make.index_of(frame.image)) for frame in source]
    assert found == whole


def test_pictures_that_an_edit_list_hides_are_in_no_segment(tmp_path):
    given = make.clip(tmp_path / "given.mp4", frames=20)
    options = {"output_ts_offset": "-0.333333", "avoid_negative_ts": "disabled"}
    path = str(make.remuxed(given, tmp_path / "in.mp4", options=options))
    (segment,) = segments_of(path, 30)
    assert (segment.first, segment.last) == (0, 10)
    with SegmentSource(segment) as source:
        found = [(frame.index, make.index_of(frame.image)) for frame in source]
    assert found == [(index, index + 10) for index in range(10)]


def test_a_seek_that_ends_too_late_is_repeated_from_earlier(tmp_path):
    path = str(make.clip(tmp_path / "in.ts", frames=50, gop=50))
    segments = segments_of(path, 20)
    with SegmentSource(segments[2]) as source:
        assert [make.index_of(frame.image) for frame in source] == [n % 24 for n in range(40, 50)]


def test_packets_that_lack_a_part_are_counted(tmp_path):
    path = make.clip(tmp_path / "in.ts", frames=50, gop=10)
    data = path.read_bytes()
    path.write_bytes(data[: 188 * 40] + data[188 * 42 :])
    assert [segment.incomplete for segment in segments_of(str(path), 20)] == [1, 0, 0]


def test_parts_that_the_demuxer_skips_are_noticed(tmp_path):
    path = make.clip(tmp_path / "in.mkv", frames=50, gop=10)
    level = av.logging.get_level()
    assert not any(segment.skipped for segment in segments_of(str(path), 20))
    with av.open(str(path)) as container:
        block = [packet.pos for packet in container.demux(video=0)][25]
    with path.open("r+b") as file:
        file.seek(block)
        file.write(bytes(20))
    segments = segments_of(str(path), 20)
    assert segments[-1].last < 50 and all(segment.skipped for segment in segments)
    assert av.logging.get_level() == level


def test_recordings_that_were_joined_are_one_segment(tmp_path):
    given = make.clip(tmp_path / "given.ts", frames=50)
    path = tmp_path / "in.ts"
    path.write_bytes(given.read_bytes() * 2)
    (segment,) = segments_of(str(path), 20)
    assert segment.incomplete == 0
    with SegmentSource(segment) as source:
        found = [make.index_of(frame.image) for frame in source]
    assert found == [n % 24 for n in (*range(50), *range(50))]


def test_a_damaged_packet_takes_no_frame_of_the_next_segment(tmp_path):
    path = make.clip(tmp_path / "in.mp4", frames=40, gop=10)
    with av.open(str(path)) as container:
        lost = next(p for p in container.demux(video=0) if p.pts == 15 * 512)
    with path.open("r+b") as file:
        file.seek(lost.pos)
        file.write(bytes(lost.size))
    found = []
    for segment in segments_of(str(path), 20):
        with SegmentSource(segment) as source:
            found.append([(frame.index, round(frame.time * 30)) for frame in source])
            assert source.began == found[-1][0][1] * Fraction(1, 30)
    times = [time for frames in found for _, time in frames]
    assert len(times) == len(set(times)) == 39 and found[1] == [(n, n) for n in range(20, 40)]
    assert [index for index, _ in found[0]] == list(range(19))


def test_a_file_that_is_no_video_has_no_segments(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match=r"text\.mp4"):
        segments_of(str(tmp_path / "text.mp4"), 20)


def test_segments_of_a_part_begin_at_0(tmp_path):
    path = str(make.clip(tmp_path / "a.mkv", frames=60, gop=12))
    cut = Cut(start=Fraction(1, 2), end=Fraction(3, 2))
    segments = segments_of(path, 20, cut)
    assert [(one.first, one.last, one.part) for one in segments] == [
        (0, 20, Part(since=Fraction(0), until=Fraction(1))),
        (20, 30, Part(since=Fraction(0), until=Fraction(1))),
    ]
    with SegmentSource(segments[1]) as source:
        frames = list(source)
    assert [(frame.index, make.index_of(frame.image)) for frame in frames] == [
        (number, (number + 15) % 24) for number in range(20, 30)
    ]
    assert frames[0].time == pytest.approx(20 / 30, abs=0.001)
    with pytest.raises(SourceError, match="no frame from --start to --end"):
        segments_of(path, 20, Cut(start=Fraction(5)))
