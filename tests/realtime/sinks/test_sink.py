from fractions import Fraction

import av
import make
import numpy as np
import pytest

from preprocessing.errors import SinkError
from realtime.sinks.sink import SnapshotSink, check_output, video_or_picture
from realtime.sinks.video import VideoSink, cut_to_whole_headers
from realtime.sources.open_source import open_source
from realtime.types import Frame, Garment, Label, Region, SourceInfo

TICKS = [0, 33, 66, 100, 300, 500, 533, 900]
MILLISECOND = Fraction(1, 1000)


def copy(source_path, out, *, audio=True):
    with open_source(str(source_path)) as source:
        with video_or_picture(out, source.info, audio=audio) as sink:
            for frame in source:
                sink.write(frame, [])
        return source.info


def garment(name="Dress", *, probability=0.9, track=1):
    region = Region(np.array([1, 2, 11, 22], np.float32), np.full((20, 10), 255, np.uint8))
    return Garment(region, track, Label(name, probability))


def frame(index=12):
    return Frame(make.picture(index), index, index * 40, MILLISECOND, 0.0)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_and_times_come_out_as_they_came_in(tmp_path, suffix):
    source = make.clip(tmp_path / "in.mkv", pts=TICKS, time_base=MILLISECOND)
    copy(source, tmp_path / f"out{suffix}")
    images, times = make.decoded(tmp_path / f"out{suffix}")
    assert times == [t * MILLISECOND for t in TICKS]
    assert [make.index_of(image) for image in images] == list(range(len(TICKS)))


def test_a_late_start_is_kept(tmp_path):
    source = make.clip(tmp_path / "in.mkv", pts=[500, 540, 580], time_base=MILLISECOND)
    copy(source, tmp_path / "out.mp4")
    assert make.decoded(tmp_path / "out.mp4")[1] == [t * MILLISECOND for t in (500, 540, 580)]


def test_sound_is_copied_unchanged(tmp_path):
    source = make.clip(tmp_path / "in.mp4", frames=60, audio=True)
    copy(source, tmp_path / "out.mp4")
    assert make.sound_packets(tmp_path / "out.mp4") == make.sound_packets(source)
    assert len(make.decoded(tmp_path / "out.mp4")[0]) == 60


def test_sound_can_be_left_out(tmp_path):
    source = make.clip(tmp_path / "in.mp4", audio=True)
    copy(source, tmp_path / "out.mp4", audio=False)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48)])
def test_odd_sizes_get_one_repeated_pixel(tmp_path, size):
    info = SourceInfo("odd", *size, Fraction(30), Fraction(1, 30), None, False)
    with VideoSink(tmp_path / "out.mp4", info, audio=False) as sink:
        for index in range(5):
            image = make.picture(index, width=size[0], height=size[1])
            sink.write(Frame(image, index, index, Fraction(1, 30), 0.0), [])
    images, _ = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in images] == list(range(5))
    assert images[0].shape[:2] == (48, 64)


def test_another_size_midway_is_letterboxed(tmp_path):
    info = SourceInfo("changing", 64, 48, Fraction(30), Fraction(1, 30), None, False)
    with VideoSink(tmp_path / "out.mp4", info, audio=False) as sink:
        sink.write(Frame(make.picture(1), 0, 0, Fraction(1, 30), 0.0), [])
        sink.write(Frame(make.picture(2, width=48, height=96), 1, 1, Fraction(1, 30), 0.0), [])
    images, _ = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in images] == [1, 2]
    assert images[1][:, :10].mean() < 5


def test_half_a_header_is_cut_off(tmp_path):
    info = SourceInfo("long", 64, 48, Fraction(30), Fraction(1, 30), None, False)
    sink = VideoSink(tmp_path / "out.mp4", info, audio=False)
    for index in range(20):
        sink.write(Frame(make.picture(index), index, index, Fraction(1, 30), 0.0), [])
    whole = (tmp_path / "out.mp4").read_bytes()  # as after a kill
    header = whole.rindex(b"moof") - 4
    broken = tmp_path / "broken.mp4"
    for size in range(header - 40, header + 100, 9):
        broken.write_bytes(whole[:size])
        cut_to_whole_headers(broken)
        with open_source(str(broken)) as source:
            assert sum(1 for _ in source._pictures()) > 5
        assert broken.stat().st_size == min(size, header)
    sink.__exit__(None, None, None)


def test_an_end_before_the_first_frame(tmp_path):
    info = SourceInfo("failing", 64, 48, Fraction(30), Fraction(1, 30), None, False)
    with (
        pytest.raises(SinkError, match="first"),
        VideoSink(tmp_path / "out.mp4", info, audio=False),
    ):
        raise SinkError("of another part, before the first frame")  # once a crash in FFmpeg


def test_a_normal_end_leaves_an_ordinary_mp4(tmp_path):
    copy(make.clip(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert b"moov" in data and b"mvex" not in data[data.rindex(b"moov") :]


def test_a_disk_that_is_full_is_said(tmp_path):
    info = SourceInfo("a", 64, 48, Fraction(30), Fraction(1, 30), None, False)
    full = tmp_path / "full.mkv"
    full.symlink_to("/dev/full")
    with (
        pytest.raises(SinkError, match="disk full"),
        VideoSink(full, info, audio=False) as sink,
    ):
        for index in range(500):
            sink.write(Frame(make.picture(index), index, index, Fraction(1, 30), 0.0), [])


def test_a_snapshot_for_each_newly_named_track(tmp_path):
    with SnapshotSink(tmp_path / "shots") as sink:
        sink.write(frame(1), [garment("unknown", probability=0.2)])
        sink.write(frame(2), [garment()])
        sink.write(frame(3), [garment()])
        sink.write(frame(4), [garment(), garment(track=2)])
    assert sorted(p.name for p in (tmp_path / "shots").iterdir()) == [
        "frame-000002.png", "frame-000004.png",
    ]  # fmt: skip


def test_a_picture_comes_out_as_a_picture(tmp_path):
    copy(make.clip(tmp_path / "in.mp4", frames=3), tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes()[1:4] == b"PNG"


def test_outputs_are_checked_early(tmp_path):
    video = make.clip(tmp_path / "in.mp4", frames=2)
    with pytest.raises(SinkError, match="is the input"):
        check_output(video, source=str(video))
    with pytest.raises(SinkError, match="no folder"):
        check_output(tmp_path / "none" / "out.mp4", source=None)
    with pytest.raises(SinkError, match="is a folder"):
        check_output(tmp_path, source=None)
    with pytest.raises(SinkError, match="unknown kind"):
        video_or_picture(
            tmp_path / "out.txt",
            SourceInfo("a", 64, 48, None, MILLISECOND, None, False),
            audio=False,
        )
