"""Odd media through the whole app: whatever people feed it comes out as a player shows it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import make
import numpy as np
import pytest
from PIL import Image

from realtime import cli

LIGHT = ("--model", "deep", "--locate", "whole")
SIZE = (320, 240)
SOUND = 17  # packets of the tone of 30 pictures
MIRROR = (-1, 0, 0, 1)  # the upper 2x2 of a display matrix


def clip(path: Path, **options) -> Path:
    return make.clip(path, **{"size": SIZE, "frames": 30, **options})


def with_sound(path: Path, **options) -> Path:
    return clip(path, audio=True, **options)


def unknown_sound(folder: Path) -> Path:
    """Two sound tracks, the second of a codec that FFmpeg does not know."""
    path = clip(folder / "apac.mov", audio=2)
    data = path.read_bytes()
    second = data.rindex(b"soun")
    changed = data[second:].replace(b"mp4a", b"apac").replace(b"esds", b"apad")
    path.write_bytes(data[:second] + changed)
    return path


def still_times(folder: Path) -> Path:
    """Sound whose times stand still for a while."""

    def stop(packet: av.Packet, number: int) -> None:
        if packet.stream.type == "audio" and 6 < number < 10:
            packet.pts = packet.dts = stopped[0]
        stopped[0] = packet.dts if packet.stream.type == "audio" else stopped[0]

    stopped = [0]
    return make.remuxed(with_sound(folder / "clip.mp4"), folder / "dup.mkv", stop)


def joined(folder: Path) -> Path:
    once = make.remuxed(with_sound(folder / "clip.mp4"), folder / "once.ts")
    path = folder / "joined.ts"
    path.write_bytes(2 * once.read_bytes())
    return path


def moved(name: str, **options: str) -> Callable[[Path], Path]:
    """A clip with sound in another container, muxed with options."""
    return lambda folder: make.remuxed(
        with_sound(folder / "clip.mp4"), folder / name, options=options
    )


def long_sound(folder: Path) -> Path:
    given = with_sound(folder / "clip.mp4", codec="mpeg4")  # without B-frames
    return make.remuxed(
        given, folder / "along.mp4",
        lambda packet, number: packet.stream.type == "audio" or number < 20,
    )  # fmt: skip


def sequence(folder: Path) -> Path:
    path = folder / "seq"
    path.mkdir()
    for index in range(12):
        image = make.picture(index, width=SIZE[0], height=SIZE[1])
        cv2.imwrite(str(path / f"frame{index + 1}.jpg"), image)
    return path


def mixed_pictures(folder: Path) -> Path:
    path = folder / "mixpics"
    path.mkdir()
    for index, name in enumerate(("a.jpg", "b.avif", "c.heic")):
        image = Image.fromarray(make.picture(index, width=SIZE[0], height=SIZE[1]))
        image.save(path / name, format="jpeg" if name == "a.jpg" else "avif")
    return path


def animation(folder: Path) -> Path:
    first, *others = (
        Image.fromarray(make.picture(index, width=SIZE[0], height=SIZE[1])) for index in range(10)
    )
    path = folder / "anim.webp"
    first.save(path, save_all=True, append_images=others, duration=100, lossless=True)
    return path


def two_sizes(folder: Path) -> Path:
    pictures = [
        make.picture(index, width=factor * SIZE[0], height=factor * SIZE[1])
        for index, factor in enumerate([1] * 5 + [2] * 5)
    ]
    return make.jpeg_clip(folder / "sizes.mkv", pictures)


@dataclass(frozen=True)
class Medium:
    """An input, and what comes out of it.

    Attributes:
        sounds: packets of each track.
        words: of a line on stderr.
        rate: pictures a second.
        first: their first time in Matroska, where a block of sound comes before the picture.
        aspect: of the pixels.
        mirrored: left and right.
    """

    name: str
    build: Callable[[Path], Path]
    frames: int = 30
    sounds: tuple[int, ...] = ()
    words: str = ""
    rate: int = 30
    first: Fraction = Fraction(0)
    aspect: Fraction = Fraction(1)
    mirrored: bool = False


MEDIA = [
    Medium("a track of an unknown codec", unknown_sound, sounds=(SOUND,),
           words="sound track 2 (unknown codec) does not fit into .mp4 and is left out"),
    Medium("sound times that stand still", still_times, sounds=(SOUND,), words="they are mended",
           first=Fraction(64, 1000)),
    Medium("joined recordings", joined, frames=60, sounds=(2 * SOUND,), words="they are mended"),
    Medium("a transport stream from 1.4 s on", moved("a.ts"), sounds=(SOUND,)),
    Medium("a transport stream from 36,000 s on", moved("late.ts", output_ts_offset="36000"),
           sounds=(SOUND,)),
    Medium("a mirrored picture", lambda folder: make.orient(clip(folder / "hflip.mp4"), MIRROR),
           mirrored=True),
    Medium("sound longer than the picture", long_sound, frames=20, sounds=(SOUND,)),
    Medium("a file without a length, from 5 s on",
           moved("nodur.mkv", live="1", output_ts_offset="5"), sounds=(SOUND,)),
    Medium("a cover before the video",
           lambda folder: make.with_cover(folder / "cover.mp4", first=True, size=SIZE, frames=30)),
    Medium("pixels that are not square",
           lambda folder: clip(folder / "sar.mp4", aspect=Fraction(64, 45)),
           aspect=Fraction(64, 45)),
    Medium("a folder of numbered pictures", sequence, frames=12, rate=25),
    Medium("a folder of JPEG, AVIF and AVIF named HEIC", mixed_pictures, frames=3, rate=25),
    Medium("an animated WebP", animation, frames=10, rate=10),
    Medium("a change of size", two_sizes, frames=10, rate=25),
]  # fmt: skip


@pytest.mark.parametrize("medium", MEDIA, ids=lambda medium: medium.name)
def test_media_come_out_as_a_player_shows_them(tmp_path, capsys, medium):
    source, out, rows = medium.build(tmp_path), tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    subtitles = tmp_path / "out.srt"
    flags = ("--video", source, "-o", out, "--jsonl", rows, "--srt", subtitles, *LIGHT)
    assert cli.main([*map(str, flags)]) == 0
    check_pictures(out, medium)
    assert tuple(sound_of(out)) == medium.sounds
    check_rows(rows, make.decoded(out)[1])
    assert subtitles.read_text().startswith(f"1\n00:00:00,{round(1000 * medium.first):03d} --> ")
    printed = capsys.readouterr().err
    assert medium.words in printed and "error" not in printed
    assert medium.words or "sound" not in printed


def check_pictures(out: Path, medium: Medium) -> None:
    images, times = make.decoded(out)
    assert [make.index_of(image) for image in images] == [
        number % 30 % 24 for number in range(medium.frames)
    ]
    steps = [float(time - medium.first) for time in times]
    assert steps == pytest.approx([n / medium.rate for n in range(medium.frames)], abs=0.001)
    assert images[0].shape[1::-1] == SIZE
    sides = images[0][50, 60].mean(), images[0][50, -60].mean()
    assert (sides[1] > sides[0] + 100) == medium.mirrored
    with av.open(str(out)) as container:
        assert (container.streams.video[0].sample_aspect_ratio or 1) == medium.aspect


def sound_of(out: Path) -> list[int]:
    """The number of packets of each sound track."""
    with av.open(str(out)) as container:
        counts = {stream.index: 0 for stream in container.streams.audio}
        for packet in container.demux():
            if packet.stream_index in counts:
                counts[packet.stream_index] += bool(packet.size)
        return list(counts.values())


def check_rows(path: Path, times: list[Fraction]) -> None:
    """Every frame has a row at its time, with a box that lies in the pictures written."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = {row["frame"]: row["time"] for row in rows}
    assert list(found) == list(range(len(times)))
    assert list(found.values()) == pytest.approx([float(time) for time in times], abs=0.001)
    boxes = np.array([row["box"] for row in rows])
    assert boxes.min() >= 0 and (boxes.max(axis=0) <= SIZE * 2).all()
    assert (boxes.max(axis=0)[2:] > np.multiply(SIZE, 0.9)).all()


@pytest.mark.parametrize("own_folder", [True, False])
def test_two_videos_of_one_stem(tmp_path, capsys, own_folder):
    given = tmp_path / "given"
    given.mkdir()
    videos = [clip(given / "clip.mov", frames=10), clip(given / "clip.mp4", frames=20)]
    before = [video.read_bytes() for video in videos]
    out = given if own_folder else tmp_path / "out"
    status = cli.main(["--video", *map(str, videos), "-o", str(out), *LIGHT])
    assert [video.read_bytes() for video in videos] == before
    assert sorted(path.name for path in given.iterdir()) == ["clip.mov", "clip.mp4"]
    if own_folder:
        assert status == 5 and "is the input" in capsys.readouterr().err
    else:
        written = {path.name: len(make.decoded(path)[0]) for path in out.iterdir()}
        assert status == 0 and written == {"clip.mp4": 10, "clip-2.mp4": 20}
