"""The streams that a player would choose, and where a file begins."""

import itertools
from fractions import Fraction

import av
import make
import pytest

from preprocessing.errors import SourceError
from realtime.sources.containers import beginning
from realtime.sources.open_source import open_source


def videos(path, *tracks):
    """A Matroska file of two frames for each (width, height, default, value of the pixels)."""
    with av.open(str(path), "w") as container:
        streams = []
        for width, height, default, _ in tracks:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = av.stream.Disposition(int(default))
            streams.append(stream)
        for index in range(2):
            for stream, (width, height, _, _) in zip(streams, tracks, strict=True):
                frame = av.VideoFrame(width, height, "yuv420p")
                frame.pts = index
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("tracks", "width"),
    [
        ([(32, 16, False, 1), (64, 48, False, 2), (48, 48, False, 3)], 64),
        ([(32, 16, True, 1), (64, 48, False, 2)], 32),
    ],
)
def test_the_default_video_is_shown_or_else_the_largest(tmp_path, tracks, width):
    with open_source(str(videos(tmp_path / "a.mkv", *tracks))) as source:
        assert source.info.width == width and len(list(source)) == 2


@pytest.mark.parametrize("first", [True, False])
def test_a_cover_is_no_video(tmp_path, first):
    path = make.with_cover(tmp_path / "a.mp4", first=first, frames=10)
    with av.open(str(path)) as container:
        widths = [stream.width for stream in container.streams.video]
    assert widths == ([96, 64] if first else [64, 96])
    with open_source(str(path)) as source:
        assert source.info.width == 64 and len(list(source)) == 10


def test_sound_with_a_cover_is_no_video(tmp_path):
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame", rate=16000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 96, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame(96, 96, "yuvj420p")))
        make.add_sound(container, sound, seconds=0.5)
    with pytest.raises(SourceError, match="no video stream"):
        open_source(str(path))


def test_the_largest_variant_of_an_hls_master(tmp_path):
    for name, size in (("low", (64, 48)), ("high", (128, 96))):
        path = tmp_path / f"{name}.m3u8"
        clip = make.clip(tmp_path / f"{name}.mp4", frames=20, size=size)
        make.remuxed(clip, path, format="hls", options={"hls_list_size": "0"})
    (tmp_path / "master.m3u8").write_text(
        "#EXTM3U\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=64x48\nlow.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=128x96\nhigh.m3u8\n"
    )
    with open_source(str(tmp_path / "master.m3u8")) as source:
        assert source.info.width == 128 and len(list(source)) == 20


def test_live_hls_begins_at_0(tmp_path, server):
    """Its clock may stand at any time; it is live while its list has no end."""
    clip = make.clip(tmp_path / "clip.mp4", frames=60, audio=True)
    options = {"hls_list_size": "0", "hls_time": "1", "output_ts_offset": "50000"}
    path = make.remuxed(clip, tmp_path / "a.m3u8", format="hls", options=options)
    path.write_text(path.read_text().replace("#EXT-X-ENDLIST", ""))
    with open_source(f"{server}/a.m3u8") as source:
        assert source.info.live
        times = [frame.time for frame in itertools.islice(source, 30)]
    assert times == pytest.approx([n / 30 for n in range(30)])


@pytest.mark.parametrize(
    ("picture", "sounds", "expected"),
    [
        (0, [], 0),
        (0.5, [], 0.5),
        (0.5, [0], 0),  # sound first: it stays first
        (0, [-0.023], 0),  # a decoder's priming
        (1.48, [1.457], 1.48),  # the same in a transport stream
        (1.48, [1.0], 1.0),
        (1.48, [2.0], 1.48),
        (-0.5, [], -0.5),  # a clock that wraps soon
    ],
)
def test_where_a_file_begins(picture, sounds, expected):
    sounds = [Fraction(sound) for sound in sounds]
    assert beginning(Fraction(picture), sounds) == Fraction(expected)
