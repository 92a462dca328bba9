"""Makes the tests' own data: clips by PyAV, garments by numpy."""

import io
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from waiting import DEADLINE

from realtime import cli
from realtime.colours.yuv import BgrConverter
from realtime.sinks.sink import opened
from realtime.types import Frame, Garment, Label, LabelledFrame, Person, Region, SourceInfo

ROOT = Path(__file__).resolve().parent.parent
QUARTER_TURNS = {  # the upper 2x2 of an mp4 display matrix, for clockwise degrees
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
ENCODED_SECONDS = 2  # of a tone; encoding takes a tenth of its length
BT709 = (1, 1, 1)  # codes of matrix, primaries and transfer


def picture(index: int, *, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey BGR picture: brightness tells its index modulo 24, the top left corner is white."""
    image = np.full((height, width, 3), 24 + 8 * (index % 24), np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


def index_of(image: np.ndarray) -> int:
    """The index, modulo 24, that `picture` drew, read at the image's centre."""
    height, width = image.shape[:2]
    centre = image[height // 2 : height // 2 + 6, width // 2 : width // 2 + 6]
    return round((float(centre.mean()) - 22) / 8)


def clip(
    path: Path,
    *,
    frames: int = 30,
    size: tuple[int, int] = (64, 48),
    pts: list[int] | None = None,
    time_base: Fraction = Fraction(1, 30),
    audio: bool | int = False,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    aspect: Fraction = Fraction(1),
    gop: int | None = None,
) -> Path:
    """A clip of `picture`s; `pts` in ticks of `time_base` make its rate variable.

    Args:
        audio: the number of its sound tracks.
        aspect: of its pixels, width to height.
        gop: frames from key frame to key frame; None leaves them to the codec.
    """
    ticks = pts or list(range(frames))
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.sample_aspect_ratio = aspect
        if gop:
            stream.codec_context.gop_size = gop
        sounds = [container.add_stream("aac", rate=16000) for _ in range(audio)]
        for index, tick in enumerate(ticks):
            image = picture(index, width=size[0], height=size[1])
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for sound in sounds:
            add_sound(container, sound, seconds=float(ticks[-1] * time_base))
    return path


def jpeg_clip(path: Path, images: list[np.ndarray]) -> Path:
    """A Matroska file of JPEGs, 25 a second, which may differ in size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        for index, image in enumerate(images):
            packet = av.Packet(cv2.imencode(".jpg", image)[1].tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = index
            packet.is_keyframe = True
            container.mux(packet)
    return path


def add_sound(container, stream, *, seconds: float) -> None:
    """Encode a tone of 16,000 samples a second; of a long one the packets of its start repeat."""
    encoded = min(seconds, ENCODED_SECONDS)
    samples = np.sin(np.arange(int(encoded * 16000)) / 20).astype(np.float32)[None]
    packets = []
    for start in range(0, samples.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(samples[:, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts = 16000, start
        packets += stream.encode(frame)
    packets += stream.encode(None)
    data, last = [bytes(packet) for packet in packets], packets[-1].pts
    container.mux(packets)
    repeats = range(last + 1024, int(16000 * seconds), 1024) if seconds > encoded else ()
    for number, time in enumerate(repeats):
        packet = av.Packet(data[number % len(data)])
        packet.stream, packet.time_base = stream, Fraction(1, 16000)
        packet.pts = packet.dts = time
        container.mux(packet)


def turn(path: Path, degrees: int) -> Path:
    """Turn an mp4 clockwise by its display matrix, as phones do."""
    return orient(path, QUARTER_TURNS[degrees])


def orient(path: Path, corner: tuple[int, int, int, int]) -> Path:
    """Write the upper 2x2 of a display matrix into an mp4's video track header."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    for offset, value in zip((0, 4, 12, 16), corner, strict=True):
        data[matrix + offset : matrix + offset + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    return path


def remuxed(source: Path, path: Path, place=lambda packet, number: None, **options) -> Path:
    """Copy a file's streams into another; `place` changes packet n of its stream, or drops it.

    It drops the packets for which it returns False.
    """
    with av.open(str(source)) as given, av.open(str(path), "w", **options) as container:
        streams = {s.index: container.add_stream_from_template(s) for s in given.streams}
        counts = dict.fromkeys(streams, 0)
        for packet in given.demux():
            if packet.dts is None:
                continue
            counts[packet.stream_index] += 1
            if place(packet, counts[packet.stream_index] - 1) is not False:
                packet.stream = streams[packet.stream_index]
                container.mux(packet)
    return path


def with_cover(path: Path, *, first: bool, **options) -> Path:
    """An mp4 with a cover picture of 96x96, whose stream stands before or behind the video.

    Args:
        options: of `clip`.
    """
    given = clip(path.with_name("without-cover.mp4"), **options)
    with av.open(str(given)) as video, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(video.streams.video[0])
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 96, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame(96, 96, "yuvj420p")))
        for packet in video.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    if first:
        data = path.read_bytes()
        start = data.rindex(b"moov") - 4
        boxes = list(boxes_of(data[start + 8 :]))
        assert {kind for kind, _ in boxes} == {b"mvhd", b"trak", b"udta"}
        moved = sorted(boxes, key=lambda box: [b"mvhd", b"udta", b"trak"].index(box[0]))
        path.write_bytes(data[: start + 8] + b"".join(box for _, box in moved))
    return path


def boxes_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of an mp4 that follow each other: each one's kind, and all of its bytes."""
    place = 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place : place + size]
        place += size


def flat_clip(
    path: Path,
    planes: tuple[int, int, int],
    *,
    size: tuple[int, int] = (64, 48),
    pix_fmt: str = "yuv420p",
    codec: str = "ffv1",
    colours: tuple[int, int, int] = BT709,
    full: bool = False,
) -> Path:
    """Three frames of one colour, given as codes of 8 bits (B, G, R of bgr0), kept without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = colours
        context.color_range = 2 if full else 1
        for index in range(3):
            frame = av.VideoFrame(*size, pix_fmt)
            deep, packed = "10le" in pix_fmt, pix_fmt == "bgr0"
            for plane, value in zip(
                frame.planes, [(*planes, 0)] if packed else planes, strict=True
            ):
                values = np.frombuffer(plane, np.uint16 if deep else np.uint8)
                values.reshape(-1, 4 if packed else 1)[:] = np.multiply(value, 4 if deep else 1)
            frame.pts, frame.colorspace, frame.color_range = index, colours[0], 2 if full else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def scene(width: int = 320, height: int = 240, *, ground: int = 225) -> np.ndarray:
    """A dark T-shirt shape on light ground: BGR uint8."""
    image = np.full((height, width, 3), ground, np.uint8)
    half = np.array([[0.35, 0.2], [0.2, 0.35], [0.28, 0.45], [0.36, 0.4], [0.36, 0.8]])
    shirt = np.concatenate([half, (half * (-1, 1) + (1, 0))[::-1]])
    cv2.fillPoly(image, [(shirt * (width, height)).astype(np.int32)], (90, 40, 30))
    return image


def moving_clip(
    path: Path, *, size: tuple[int, int] = (320, 240), repeats: int = 1, audio: bool = False
) -> Path:
    """A clip of `scene` drifting to and fro: 40 frames at 30 a second, encoded once, repeated."""
    base, packets = scene(*size), []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "fast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        sound = container.add_stream("aac", rate=16000) if audio else None
        for index in range(40):
            image = np.roll(base, round(10 * np.sin(2 * np.pi * index / 40)), axis=1)
            packets += stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
        packets += stream.encode(None)
        for number in range(40 * repeats):
            model = packets[number % 40]
            packet = av.Packet(bytes(model))
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.is_keyframe = model.is_keyframe
            container.mux(packet)
        if sound:
            add_sound(container, sound, seconds=40 * repeats / 30)
    return path


def decoded(path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    """All pictures of a video, BGR, and their times in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    to_bgr = BgrConverter()
    return [to_bgr(f) for f in frames], [f.pts * f.time_base for f in frames]


def sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Every audio packet with its time."""
    with av.open(str(path)) as container:
        packets = list(container.demux(audio=0))
    return [(p.pts * p.time_base, bytes(p)) for p in packets if p.size]


def info(name: str = "in.mp4", *, width: int = 64, height: int = 48, **more) -> SourceInfo:
    """A file of 10 frames a second."""
    values = {"rate": Fraction(10), "time_base": Fraction(1, 10), "frames": None, "live": False}
    return SourceInfo(name, width, height, **values | more)


def garment(
    name: str = "Dress", *, track: int = 1, probability: float = 0.9, colour: str = "",
    box: tuple[int, int, int, int] = (1, 2, 11, 22), person: int | None = None,
    path: tuple[tuple[str, float], ...] = (), **attributes: str,
) -> Garment:  # fmt: skip
    """A garment whose mask fills its box, worn by a person with a number, or by nobody."""
    mask = np.full((box[3] - box[1], box[2] - box[0]), 255, np.uint8)
    label = Label(name, probability, path)
    corners = np.array(box, np.float32)
    wearer = None if person is None else Person(corners, number=person)
    region = Region(corners, mask, wearer=wearer)
    return Garment(region, track, label, colour=colour, attributes=attributes)


def labelled(
    index: int,
    *garments: Garment,
    image: np.ndarray | None = None,
    drawn: np.ndarray | None = None,
    frame: Frame | None = None,
) -> LabelledFrame:
    """A labelled frame of a source as `info` describes it, or that of another source."""
    image = picture(index) if image is None else image
    frame = frame or Frame(image, index, index, Fraction(1, 10), 0.0)
    return LabelledFrame(frame, garments, image if drawn is None else drawn)


def write_all(sink, *frames: LabelledFrame, source: SourceInfo | None = None) -> None:
    """Open a sink, write frames and close it, as `run` does."""
    with opened([sink], source or info()):
        for frame in frames:
            sink.write(frame)


APP = (sys.executable, str(ROOT / "run_realtime.py"))
started: list[subprocess.Popen] = []  # by this test, which ends with them


def app(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Run run_realtime.py in a process of its own."""
    return subprocess.run(
        [*APP, *map(str, arguments)], capture_output=True, text=True,
        **{"timeout": DEADLINE, **options},
    )  # fmt: skip


def called(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    """Run the app in this process, at a tenth of the cost: for what is refused at once."""
    out, errors = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(errors):
        try:
            status = cli.main([*map(str, arguments)])
        except SystemExit as end:  # of argparse
            status = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), errors.getvalue())


def start(*arguments: object, command: Sequence[str] = APP, **options) -> subprocess.Popen:
    """Start run_realtime.py, or another command; the test's end kills it."""
    process = subprocess.Popen(
        [*command, *map(str, arguments)], text=True, **{"stderr": subprocess.PIPE, **options}
    )
    started.append(process)
    return process
