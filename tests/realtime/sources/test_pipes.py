"""Sources that can be read once: the same frames and the same sound as of the file."""

import os
import threading
from contextlib import contextmanager, suppress
from fractions import Fraction

import cv2
import make
import pytest
from PIL import Image

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.runtime.cut import Cut
from realtime.sinks.video import VideoFile, VideoSink
from realtime.sources import pipes
from realtime.sources.open_source import open_source

DEADLINE = 60  # seconds


@contextmanager
def pipe(data):
    """The address of a pipe into which a thread writes bytes."""
    end, start = os.pipe()

    def write():
        with suppress(BrokenPipeError), open(start, "wb", buffering=0) as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield f"/dev/fd/{end}"
    finally:
        os.close(end)
        thread.join(DEADLINE)
        assert not thread.is_alive()


def copied(address, out):
    """Write the frames one by one, as they come."""
    with open_source(str(address)) as source:
        sink = VideoSink(out, audio=True)
        sink.open(source.info)
        for frame in source:
            sink.write(make.labelled(0, image=frame.image, frame=frame))
        sink.close(complete=True)
    return make.decoded(out)[1], make.sound_packets(out)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("index-last.mp4", {}),
        ("index-first.mp4", {"options": {"movflags": "faststart"}}),
        ("in.mkv", {}),
        ("in.ts", {}),
        ("in.flv", {}),
    ],
)
def test_frames_and_sound_are_those_of_the_file(tmp_path, name, options):
    clip = make.clip(tmp_path / "in.mp4", frames=60, audio=True)
    path = make.remuxed(clip, tmp_path / name, **options)
    times, sound = copied(path, tmp_path / "file.mp4")
    assert len(times) == 60 and len(sound) > 20
    with pipe(path.read_bytes()) as address:
        assert copied(address, tmp_path / "pipe.mp4") == (times, sound)


def test_a_file_on_stdin_is_read_once_too(tmp_path, monkeypatch):
    clip = make.clip(tmp_path / "in.mp4", audio=True)
    wanted = copied(clip, tmp_path / "file.mp4")
    with clip.open("rb") as file:
        monkeypatch.setattr(pipes.os, "dup", lambda number: os.open(clip, os.O_RDONLY))
        monkeypatch.setattr(pipes.sys, "stdin", file)
        assert copied("-", tmp_path / "stdin.mp4") == wanted


def test_sound_that_nobody_wants_is_not_kept(tmp_path):
    clip = make.remuxed(make.clip(tmp_path / "in.mp4", audio=True), tmp_path / "in.mkv")
    with pipe(clip.read_bytes()) as address, open_source(address) as source:
        assert source.info.path is None and source.info.sound.samples()
        assert source.info.sound._tape
        assert sum(not source.info.sound._tape for _ in source) == 30


def test_the_sound_of_a_part_of_a_pipe_is_kept(tmp_path):
    clip = make.remuxed(make.clip(tmp_path / "in.mp4", audio=True, gop=5), tmp_path / "in.mkv")
    cut = Cut(start=Fraction(1, 2))
    with pipe(clip.read_bytes()) as address, open_source(address, cut=cut) as source:
        out = VideoFile(tmp_path / "out.mkv", source.info, audio=True)
        for frame in source:
            out.write(frame.image, frame)
        out.close(complete=True)
    with pipe(clip.read_bytes()) as address, open_source(address, cut=cut) as source:
        counts = [len(source.info.sound._tape) for _ in source]
    packets = make.sound_packets(tmp_path / "out.mkv")
    assert float(packets[0][0]) < 0.1 and len(packets) in (7, 8)  # 0.5 s in packets of 64 ms
    assert counts and not any(counts)


def test_a_pipe_that_ends_early(tmp_path):
    data = make.clip(tmp_path / "in.mp4", frames=90, size=(320, 240)).read_bytes()
    with (
        pipe(data[: data.index(b"mdat") + len(data) // 3]) as address,
        open_source(address) as source,
        pytest.raises(BrokenSourceError, match="truncated"),
    ):
        list(source)


@pytest.mark.parametrize(("data", "words"), [(b"", "nothing came"), (b"hello", "not a video")])
def test_no_video_in_a_pipe(data, words):
    with pipe(data) as address, pytest.raises(SourceError, match=words):
        open_source(address)


def test_pictures_in_a_pipe(tmp_path):
    scene = make.scene()
    jpeg = cv2.imencode(".jpg", scene)[1].tobytes()
    picture = Image.fromarray(scene[..., ::-1])
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x112] = 6
    picture.save(turned, exif=exif)
    picture.save(tmp_path / "a.webp", save_all=True, append_images=[picture.rotate(9)])
    for data, count, size in (
        (jpeg, 1, (320, 240)),
        (jpeg * 5, 5, (320, 240)),
        (turned.read_bytes(), 1, (240, 320)),
        ((tmp_path / "a.webp").read_bytes(), 2, (320, 240)),
    ):
        with pipe(data) as address, open_source(address) as source:
            assert (source.info.width, source.info.height) == size
            assert len(list(source)) == count
