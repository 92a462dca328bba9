"""Inputs of the fidelity matrix: short videos of every container, codec, sound and clock.

Each also has an orientation, a shape of its pixels and colours of its own, drawn by its name, as
far as its container can hold them.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

from realtime.sources.geometry import Orientation

FRAMES = 20
LONG, SHORT = 160, 96  # pixels
MILLISECOND = Fraction(1, 1000)
FRAME = 40  # milliseconds
OFFSET = 480  # milliseconds
SOUND_SECONDS = 1.0
PATCH = (40, 60, 180)  # BGR of the flat patch
ASPECTS = (Fraction(1), Fraction(64, 45))
# FFmpeg's codes of matrix, primaries and transfer, and of the range.
COLOURS = ((1, 1, 1, 1), (6, 6, 6, 1), (1, 1, 1, 2), (9, 9, 1, 1), (2, 2, 2, 0))
ORIENTATIONS = tuple(
    Orientation(*flags) for flags in itertools.product((False, True), repeat=3)
)  # fmt: skip


@dataclass(frozen=True)
class Codec:
    """A codec of pictures: FFmpeg's encoder, its pixels, its options."""

    encoder: str
    pix_fmt: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = ()


FAST = (("preset", "ultrafast"),)
X265 = (*FAST, ("x265-params", "log-level=none"))
VPX = (("deadline", "realtime"), ("cpu-used", "8"))
AV1 = (("preset", "13"),)
CODECS = {
    "H.264": Codec("libx264"),
    "H.264 10 bit": Codec("libx264", "yuv420p10le", FAST),
    "HEVC": Codec("libx265", options=X265),
    "HEVC 10 bit": Codec("libx265", "yuv420p10le", X265),
    "VP8": Codec("libvpx", options=VPX),
    "VP9": Codec("libvpx-vp9", options=VPX),
    "AV1": Codec("libsvtav1", options=AV1),
    "AV1 10 bit": Codec("libsvtav1", "yuv420p10le", AV1),
    "MJPEG": Codec("mjpeg", "yuvj420p"),
    "ProRes": Codec("prores_ks", "yuv422p10le"),
    "MPEG-4": Codec("mpeg4"),
    "MPEG-2": Codec("mpeg2video"),
    "FFV1": Codec("ffv1"),
}
GIF, WEBP = "GIF", "WebP"  # written by Pillow
CONTAINERS = {
    "mp4": ("H.264", "H.264 10 bit", "HEVC", "HEVC 10 bit", "VP9", "AV1", "MPEG-4", "MJPEG"),
    "mov": ("H.264", "HEVC", "ProRes", "MJPEG"),
    "mkv": ("H.264", "H.264 10 bit", "HEVC", "HEVC 10 bit", "VP8", "VP9", "AV1", "AV1 10 bit",
            "MJPEG", "ProRes", "FFV1"),
    "webm": ("VP8", "VP9", "AV1"),
    "avi": ("H.264", "MPEG-4", "MJPEG"),
    "ts": ("H.264", "HEVC", "MPEG-2"),
    "flv": ("H.264", "HEVC", "AV1"),
    "gif": (GIF,),
    "webp": (WEBP,),
}  # fmt: skip
# FFmpeg's encoders and samples a second of each track.
SOUNDS: dict[str, tuple[tuple[str, int], ...]] = {
    "none": (),
    "AAC": (("aac", 48_000),),
    "MP3": (("libmp3lame", 44_100),),
    "Opus": (("libopus", 48_000),),
    "AC-3": (("ac3", 48_000),),
    "FLAC": (("flac", 48_000),),
    "PCM": (("pcm_s16le", 48_000),),
    "PCM 8 bit": (("pcm_u8", 48_000),),
    "two": (("aac", 48_000), ("ac3", 48_000)),
}
VARIABLE = (40, 20, 80, 120, 30)  # milliseconds from frame to frame, over and over
CLOCKS = ("0", "late", "picture late", "sound late", "negative", "variable", "edit list")
# Codecs and containers whose clock counts frames.
COUNTING = ("avi", "MPEG-2")


@dataclass(frozen=True)
class Cell:
    """One input of the matrix: a row of CONTAINERS with a codec, SOUNDS and CLOCKS."""

    container: str
    codec: str
    sound: str
    clock: str

    @property
    def name(self) -> str:
        """A file name that no other cell has."""
        words = (self.codec, self.sound, self.clock)
        stem = "-".join(word.lower().replace(" ", "_").replace(".", "") for word in words)
        return f"{self.container}-{stem}.{self.container}"

    @property
    def look(self) -> "Look":
        """How its pictures are stored."""
        draw = random.Random(self.name)
        look = Look(draw.choice(ORIENTATIONS), draw.choice(ASPECTS), draw.choice(COLOURS))
        return look if self.container in ("mp4", "mov", "mkv") else look.unturned()

    def ticks(self) -> list[int]:
        """The times of its pictures in milliseconds."""
        unit = FRAME if {self.container, self.codec} & set(COUNTING) else 10
        gaps = [max(unit, gap // unit * unit) if self.clock == "variable" else FRAME
                for gap in itertools.islice(itertools.cycle(VARIABLE), FRAMES - 1)]  # fmt: skip
        start = {"late": OFFSET, "picture late": OFFSET, "negative": -OFFSET, "edit list": -OFFSET}
        return list(itertools.accumulate(gaps, initial=start.get(self.clock, 0)))


@dataclass(frozen=True)
class Look:
    """How pictures are stored: turned or mirrored, with which pixels, in which colours."""

    orientation: Orientation
    aspect: Fraction
    colours: tuple[int, int, int, int]

    def unturned(self) -> "Look":
        return Look(Orientation(), self.aspect, self.colours)


def cells() -> Iterator[Cell]:
    """Every combination; `build` tells which of them there are."""
    for container, codecs in CONTAINERS.items():
        for codec, sound, clock in itertools.product(codecs, SOUNDS, CLOCKS):
            yield Cell(container, codec, sound, clock)


def shown(index: int, *, width: int, height: int) -> np.ndarray:
    """The picture that a player is to show, BGR: its grey tells its index.

    White at the bottom left and black at the bottom right tell where it lies, the right half of its
    middle is PATCH. The top is free for what programs draw.
    """
    image = np.full((height, width, 3), 48 + 8 * index, np.uint8)
    image[3 * height // 4 :, : width // 4] = 255
    image[3 * height // 4 :, 3 * width // 4 :] = 0
    image[height // 4 : 3 * height // 4, width // 2 :] = PATCH
    return image


def build(cell: Cell, folder: Path) -> Path | None:
    """Write the video of a cell; None if there can be no such file, or FFmpeg writes none."""
    path = folder / cell.name
    if cell.codec in (GIF, WEBP):
        return _animation(cell, path)
    if cell.clock in ("picture late", "sound late") and cell.sound == "none":
        return None
    if cell.clock == ("negative" if cell.container in ("mp4", "mov") else "edit list"):
        return None  # in these containers an edit list hides what lies before 0
    before_0 = cell.ticks()[0] < 0
    options = {"avoid_negative_ts": "disabled"} if before_0 else {}
    try:
        with av.open(str(path), "w", options=options) as target:
            _write(cell, target)
    except (av.FFmpegError, ValueError, OverflowError):
        return None
    return path


def _animation(cell: Cell, path: Path) -> Path | None:
    """An animation without loss, which has neither sound nor a clock of its own."""
    from PIL import Image

    if cell.sound != "none" or cell.clock not in ("0", "variable"):
        return None
    ticks = cell.ticks()
    images = [Image.fromarray(shown(index, width=LONG, height=SHORT)[..., ::-1])
              for index in range(FRAMES)]  # fmt: skip
    lengths = [after - before for before, after in itertools.pairwise(ticks)]
    images[0].save(path, save_all=True, append_images=images[1:], lossless=True,
                   duration=[*lengths, FRAME])  # fmt: skip
    return path


def _write(cell: Cell, target: OutputContainer) -> None:
    video = _video_stream(cell, target)
    tracks = [target.add_stream(codec, rate=rate, layout="mono")
              for codec, rate in SOUNDS[cell.sound]]  # fmt: skip
    for index, tick in enumerate(cell.ticks()):
        target.mux(video.encode(_stored(cell, index, tick)))
    target.mux(video.encode(None))
    for track in tracks:
        start = {"picture late": 0, "sound late": OFFSET}.get(cell.clock, cell.ticks()[0])
        assert isinstance(track, av.AudioStream)
        _add_tone(target, track, start=start)


def _video_stream(cell: Cell, target: OutputContainer) -> "av.VideoStream":
    codec, look = CODECS[cell.codec], cell.look
    stream = target.add_stream(codec.encoder, rate=Fraction(1000, FRAME),
                               options=dict(codec.options))  # fmt: skip
    assert isinstance(stream, av.VideoStream)
    size = (SHORT, LONG) if look.orientation.swapped else (LONG, SHORT)
    stream.width, stream.height, stream.pix_fmt = *size, codec.pix_fmt
    context = stream.codec_context
    counts = {cell.container, cell.codec} & set(COUNTING)
    context.time_base = stream.time_base = Fraction(FRAME, 1000) if counts else MILLISECOND
    context.thread_count = 1
    context.sample_aspect_ratio = look.aspect
    context.colorspace, context.color_primaries, context.color_trc, limits = look.colours
    context.color_range = 2 if codec.pix_fmt.startswith("yuvj") else limits
    if look.orientation != Orientation():
        stream.set_display_matrix(_matrix(look.orientation))
    return stream


def _matrix(orientation: Orientation) -> list[int]:
    """The display matrix under which a picture has this orientation (ISO/IEC 14496-12)."""
    across = -1 if orientation.mirrored else 1
    down = -1 if orientation.flipped else 1
    corner = (0, down, across, 0) if orientation.swapped else (across, 0, 0, down)
    a, b, c, d = (value << 16 for value in corner)
    return [a, b, 0, c, d, 0, 0, 0, 1 << 30]


def _stored(cell: Cell, index: int, tick: int) -> "av.VideoFrame":
    """A picture as it is stored, so that its orientation shows `shown`."""
    look, codec = cell.look, CODECS[cell.codec]
    image = shown(index, width=LONG, height=SHORT)
    turned = look.orientation
    rows, columns = (-1 if turned.flipped else 1), (-1 if turned.mirrored else 1)
    image = image[::rows, ::columns]
    image = image.swapaxes(0, 1) if turned.swapped else image
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    matrix, _, _, limits = look.colours
    frame = frame.reformat(
        format=codec.pix_fmt,
        dst_colorspace=matrix if matrix != 2 else 5,
        dst_color_range=2 if codec.pix_fmt.startswith("yuvj") or limits == 2 else 1,
    )
    frame.pts, frame.time_base = tick, MILLISECOND
    frame.colorspace, frame.color_range = matrix, limits
    return frame


def _add_tone(target: OutputContainer, track: "av.AudioStream", *, start: int) -> None:
    """Encode a rising tone, from `start` milliseconds on."""
    rate = track.codec_context.sample_rate
    seconds = np.arange(int(SOUND_SECONDS * rate)) / rate
    wave = (0.3 * np.sin(2 * np.pi * (200 + 400 * seconds) * seconds)).astype(np.float32)
    size = track.codec_context.frame_size or 1024
    for place in range(0, len(wave), size):
        frame = av.AudioFrame.from_ndarray(wave[None, place : place + size], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, place + start * rate // 1000
        frame.time_base = Fraction(1, rate)
        target.mux(track.encode(frame))
    target.mux(track.encode(None))
