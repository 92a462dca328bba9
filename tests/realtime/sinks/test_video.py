"""Labelled videos: every frame and time of the source, its audio, and files that are cut short."""

from contextlib import suppress
from fractions import Fraction

import av
import make
import pytest

from preprocessing.errors import BrokenSourceError, SinkError
from realtime.sinks.sink import opened
from realtime.sinks.video import VideoSink, drop_partial_header
from realtime.sources.open_source import open_source
from realtime.types import LabelledFrame

TICKS = [0, 33, 66, 100, 300, 500, 533, 900]
MILLISECOND = Fraction(1, 1000)


def copy(source_path, out, *, audio=True, **options):
    sink = VideoSink(out, audio=audio)
    with open_source(str(source_path), **options) as source, opened([sink], source.info):
        for frame in source:
            sink.write(LabelledFrame(frame, (), frame.image))


def readable(path):
    """The number of frames that can be read of a file that may be truncated."""
    count = 0
    with open_source(str(path)) as source, suppress(BrokenSourceError):
        for _ in source:
            count += 1
    return count


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_and_times_come_out_as_they_came_in(tmp_path, suffix):
    source = make.clip(tmp_path / "in.mkv", pts=TICKS, time_base=MILLISECOND)
    copy(source, tmp_path / f"out{suffix}")
    images, times = make.decoded(tmp_path / f"out{suffix}")
    assert times == [t * MILLISECOND for t in TICKS]
    assert [make.index_of(image) for image in images] == list(range(len(TICKS)))


def test_a_late_start_becomes_0(tmp_path):
    source = make.clip(tmp_path / "in.mkv", pts=[500, 540, 580], time_base=MILLISECOND)
    copy(source, tmp_path / "out.mp4")
    assert make.decoded(tmp_path / "out.mp4")[1] == [t * MILLISECOND for t in (0, 40, 80)]
    copy(source, tmp_path / "own.mp4", keep_times=True)
    assert make.decoded(tmp_path / "own.mp4")[1] == [t * MILLISECOND for t in (500, 540, 580)]


@pytest.mark.parametrize("start", [0, 1.4, 36_000])
def test_picture_and_sound_are_shifted_alike(tmp_path, start):
    clip = make.clip(tmp_path / "clip.mp4", frames=30, audio=True)
    options = {"output_ts_offset": str(start), "avoid_negative_ts": "0"}
    copy(make.remuxed(clip, tmp_path / "in.ts", options=options), tmp_path / "out.mp4")
    assert make.decoded(tmp_path / "out.mp4")[1] == [Fraction(n, 30) for n in range(30)]
    found, given = make.sound_packets(tmp_path / "out.mp4"), make.sound_packets(clip)
    assert all(abs(a - b) < MILLISECOND for (a, _), (b, _) in zip(found, given, strict=True))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("turned", [False, True])
def test_pixels_that_are_not_square_keep_their_shape(tmp_path, suffix, turned):
    source, aspect = tmp_path / "in.mp4", Fraction(64, 45)
    make.clip(source, frames=5, aspect=aspect)
    if turned:
        make.turn(source, 90)
    copy(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        found = container.streams.video[0]
        assert (found.width, found.height) == ((48, 64) if turned else (64, 48))
        assert found.sample_aspect_ratio == (1 / aspect if turned else aspect)


def test_audio_is_copied_unchanged(tmp_path):
    source = make.clip(tmp_path / "in.mp4", frames=60, audio=True)
    copy(source, tmp_path / "out.mp4")
    assert make.sound_packets(tmp_path / "out.mp4") == make.sound_packets(source)
    assert len(make.decoded(tmp_path / "out.mp4")[0]) == 60


def test_audio_can_be_left_out(tmp_path):
    source = make.clip(tmp_path / "in.mp4", audio=True)
    copy(source, tmp_path / "out.mp4", audio=False)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48)])
def test_odd_sizes_get_one_repeated_pixel(tmp_path, size):
    width, height = size
    frames = [
        make.labelled(index, image=make.picture(index, width=width, height=height))
        for index in range(5)
    ]
    sink = VideoSink(tmp_path / "out.mp4", audio=False)
    make.write_all(sink, *frames, source=make.info(width=width, height=height))
    images, _ = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in images] == list(range(5))
    assert images[0].shape[:2] == (48, 64)


def test_another_size_midway_is_letterboxed(tmp_path):
    other = make.labelled(1, image=make.picture(2, width=48, height=96))
    sink = VideoSink(tmp_path / "out.mp4", audio=False)
    make.write_all(sink, make.labelled(0, image=make.picture(1)), other)
    images, _ = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in images] == [1, 2]
    assert images[1][:, :10].mean() < 5


def test_a_partial_header_is_dropped(tmp_path):
    sink = VideoSink(tmp_path / "out.mp4", audio=False)
    with opened([sink], make.info()):
        for index in range(20):
            sink.write(make.labelled(index))
        whole = (tmp_path / "out.mp4").read_bytes()  # as after a kill
    header = whole.rindex(b"moof") - 4
    broken = tmp_path / "broken.mp4"
    for size in range(header - 40, header + 100, 9):
        broken.write_bytes(whole[:size])
        drop_partial_header(broken)
        assert readable(broken) > 5
        assert broken.stat().st_size == min(size, header)


def test_an_end_before_the_first_frame(tmp_path):
    sink = VideoSink(tmp_path / "out.mp4", audio=False)
    with pytest.raises(SinkError, match="first"), opened([sink], make.info()):
        raise SinkError("another sink, before the first frame")  # once a crash in FFmpeg


def test_a_normal_end_leaves_an_ordinary_mp4(tmp_path):
    copy(make.clip(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert b"moov" in data and b"mvex" not in data[data.rindex(b"moov") :]


def test_a_full_disk_is_reported(tmp_path):
    full = tmp_path / "full.mkv"
    full.symlink_to("/dev/full")
    with pytest.raises(SinkError, match="disk full"):
        make.write_all(VideoSink(full, audio=False), *map(make.labelled, range(500)))
