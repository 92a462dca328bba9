"""Broken and odd inputs."""

import os
import random
from fractions import Fraction
from pathlib import Path

import av
import cv2
import fault
import make
import numpy as np
import pytest
from fault import LIGHT, Fault

from preprocessing.errors import GarmentError
from realtime.sources.open_source import open_source

OUT = ["-o", "out.mp4", *LIGHT]
FRAMES = 30
WRAP = 2**33  # ticks of 1/90000 s, after which MPEG-TS starts anew


def written(name: str, content: bytes):
    """A file that holds bytes."""

    def build(folder: Path) -> list:
        (folder / name).write_bytes(content)
        return ["--video", name, *OUT]

    return build


def plain(name: str = "in.mp4", **options):
    """A clip of FRAMES frames; see `make.clip`."""

    def build(folder: Path) -> list:
        make.clip(folder / name, **{"frames": FRAMES, **options})
        return ["--video", name, *OUT]

    return build


def encoded(name: str, codec: str, pix_fmt: str, *, size=(64, 48), options=None):
    """A clip by another codec, with pictures of another kind."""

    def build(folder: Path) -> list:
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=30, options=options or {})
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            for index in range(FRAMES):
                image = make.picture(index, width=size[0], height=size[1])
                frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pix_fmt)
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return ["--video", name, *OUT]

    return build


def ticks(name: str, times: list[int], time_base: Fraction = Fraction(1, 90_000)):
    """A stream whose packets have these times, which a good muxer would refuse."""

    def build(folder: Path) -> list:
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(
                "mjpeg" if name.endswith("mkv") else "mpeg2video", rate=30
            )
            stream.width, stream.height = 64, 48
            stream.pix_fmt = "yuvj420p" if name.endswith("mkv") else "yuv420p"
            packets = []
            for index in range(len(times)):
                frame = av.VideoFrame.from_ndarray(make.picture(index), format="bgr24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = index, Fraction(1, 30)
                packets += stream.encode(frame)
            for packet, time in zip([*packets, *stream.encode(None)], times, strict=True):
                packet.time_base, packet.pts, packet.dts = time_base, time, time
                container.mux(packet)
        return ["--video", name, *OUT]

    return build


def two_in_a_row(folder: Path) -> list:
    """Two transport streams one after the other: time goes back to its start."""
    for part in ("a.ts", "b.ts"):
        ticks(part, [3000 * index for index in range(FRAMES)])(folder)
    joined = (folder / "a.ts").read_bytes() + (folder / "b.ts").read_bytes()
    (folder / "in.ts").write_bytes(joined)
    return ["--video", "in.ts", *OUT]


def two_sizes(folder: Path) -> list:
    """Pictures that have another size from the middle on."""
    with av.open(str(folder / "in.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index in range(FRAMES):
            size = (64, 48) if index < FRAMES // 2 else (96, 80)
            picture = make.picture(index, width=size[0], height=size[1])
            packet = av.Packet(cv2.imencode(".jpg", picture)[1].tobytes())
            packet.stream, packet.pts, packet.dts = stream, index, index
            packet.time_base = Fraction(1, 30)
            container.mux(packet)
    return ["--video", "in.mkv", *OUT]


def turned(degrees: int):
    """A clip whose header turns it."""

    def build(folder: Path) -> list:
        make.turn(make.clip(folder / "in.mp4", frames=FRAMES), degrees)
        return ["--video", "in.mp4", *OUT]

    return build


def sound_only(folder: Path) -> list:
    with av.open(str(folder / "in.mp4"), "w") as container:
        make.add_sound(container, container.add_stream("aac", rate=16000), seconds=1)
    return ["--video", "in.mp4", *OUT]


def no_frames(folder: Path) -> list:
    """A header that promises a video, and nothing after it."""
    data = make.clip(folder / "whole.mp4", frames=FRAMES).read_bytes()
    (folder / "in.mp4").write_bytes(data[: data.index(b"mdat") + 4])
    return ["--video", "in.mp4", *OUT]


def pictures(*, good: int):
    """A folder of pictures, one of them broken."""

    def build(folder: Path) -> list:
        (folder / "in").mkdir()
        for index in range(good):
            cv2.imwrite(str(folder / "in" / f"{index}.png"), make.scene())
        (folder / "in" / "9.png").write_bytes(b"no picture")
        return ["--video", "in", *OUT]

    return build


def locked(folder: Path) -> list:
    make.clip(folder / "in.mp4").chmod(0)
    return ["--video", "in.mp4", *OUT]


FAULTS = [
    Fault("empty file", written("in.mp4", b""), 3, "in.mp4"),
    Fault("text", written("in.mp4", b"once upon a time\n" * 50), 3, "not a video"),
    Fault("zeros", written("in.mp4", bytes(100_000)), 3, "not a video"),
    Fault("noise", written("in.mp4", random.Random(0).randbytes(100_000)), 3, "in.mp4"),
    Fault("a picture that is none", written("in.png", b"no picture"), 3, "no readable picture"),
    Fault("an empty picture", written("in.jpg", b""), 3, "no readable picture"),
    Fault("missing", lambda folder: ["--video", "in.mp4", *OUT], 3, "no such file"),
    Fault("empty folder", lambda f: ((f / "in").mkdir(), ["--video", "in", *OUT])[1], 3,
          "no pictures"),
    Fault("folder with a bad picture", pictures(good=3), 0, "1 failed", frames=3),
    Fault("folder with only a bad picture", pictures(good=0), 3, "no readable picture"),
    Fault("sound only", sound_only, 3, "no video stream"),
    Fault("no frames", no_frames, 3, "no decodable frame"),
    Fault("1x1", encoded("in.mkv", "ffv1", "bgr0", size=(1, 1)), frames=FRAMES),
    Fault("odd size", encoded("in.mkv", "ffv1", "bgr0", size=(63, 47)), frames=FRAMES),
    Fault("8K wide", plain(size=(7680, 64)), frames=FRAMES),
    Fault("very tall", plain(size=(32, 4096)), frames=FRAMES),
    Fault("another size midway", two_sizes, frames=FRAMES),
    Fault("equal times", ticks("in.mkv", [0] * FRAMES, Fraction(1, 1000)), frames=FRAMES),
    Fault("times that go back", two_in_a_row, frames=2 * FRAMES),
    Fault("gaps", plain(pts=[*range(15), *range(300, 315)]), frames=FRAMES),
    Fault("the clock's wrap", ticks("in.ts", [WRAP - 45_000 + 3000 * k for k in range(FRAMES)]),
          frames=FRAMES),
    Fault("variable rate", plain(pts=sorted({k * k for k in range(FRAMES)})), frames=FRAMES),
    *(Fault(f"turned by {d}", turned(d), frames=FRAMES) for d in (90, 180, 270)),
    Fault("10 bits", plain(pix_fmt="yuv420p10le"), frames=FRAMES),
    Fault("4:4:4", plain(pix_fmt="yuv444p"), frames=FRAMES),
    Fault("4:2:2", plain(pix_fmt="yuv422p"), frames=FRAMES),
    Fault("grey", encoded("in.mkv", "ffv1", "gray"), frames=FRAMES),
    Fault("grey of 16 bits", encoded("in.mkv", "ffv1", "gray16le"), frames=FRAMES),
    Fault("alpha", encoded("in.mov", "qtrle", "argb"), frames=FRAMES),
    Fault("interlaced", encoded("in.ts", "mpeg2video", "yuv420p",
                                options={"flags": "+ildct+ilme"}), frames=FRAMES),
    Fault("gif", encoded("in.gif", "gif", "rgb8"), frames=FRAMES),
    Fault("spaces", plain("a b  c.mp4"), frames=FRAMES),
    Fault("unicode", plain("衣服 été \N{T-SHIRT}.mp4"), frames=FRAMES),
    Fault("new line", plain("a\nb.mp4"), frames=FRAMES),
    Fault("quotes and flags", plain("it's \"%s\" $HOME; --out.mp4"), frames=FRAMES),
    Fault("long name", plain("n" * 240 + ".mp4"), frames=FRAMES),
    Fault("too long a name", lambda f: ["--video", "n" * 300 + ".mp4", *OUT], 3),
    Fault("no such camera", lambda f: ["--camera", "63", *OUT], 3, "no camera 63"),
    Fault("address of nothing", lambda f: ["--video", "http://127.0.0.1:9/a", *OUT], 3,
          "cannot open"),
    Fault("address of another kind", lambda f: ["--video", "gopher://x/y", *OUT], 3, "gopher"),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_fault(case, tmp_path):
    fault.check(case, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path):
    fault.check(Fault("unreadable", locked, 3, "no permission to read"), tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return make.clip(folder / "in.mp4", frames=100, size=(160, 120)).read_bytes()


def test_truncated_at_twenty_points(whole, tmp_path):
    """One list of all of them: a bad one never stops the others, and frames are never made up."""
    before = 0
    for point in range(20):
        (tmp_path / f"{point:02d}.mp4").write_bytes(whole[: len(whole) * point // 20])
    (tmp_path / "whole.mp4").write_bytes(whole)
    done = make.app("--video", "*.mp4", "-o", "out", *LIGHT, cwd=tmp_path, timeout=fault.CAP)
    assert "Traceback" not in done.stderr and done.returncode == 3
    for point in range(20):
        out = tmp_path / "out" / f"{point:02d}.mp4"
        count = fault.frames_of(out) if out.exists() else 0
        assert before <= count < 100
        before = count
    assert before > 80 and fault.frames_of(tmp_path / "out" / "whole.mp4") == 100


@pytest.mark.parametrize("seed", range(50))
def test_two_hundred_flipped_bytes(whole, tmp_path, seed):
    """The reader ends or names the fault; the times of its frames rise."""
    rng = random.Random(seed)
    data = bytearray(whole)
    for _ in range(200):
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
    (tmp_path / "in.mp4").write_bytes(data)
    times = []
    try:
        with open_source(str(tmp_path / "in.mp4")) as source:
            for frame in source:
                times.append(frame.pts)
                assert frame.image.dtype == np.uint8 and frame.image.ndim == 3
    except GarmentError as error:
        assert "in.mp4" in str(error)
    assert times == sorted(set(times))
