"""Files as a player shows them: pictures with their times, tracks of sound, shape and colours."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.bench.fidelity.inputs import ORIENTATIONS
from realtime.colours.yuv import BgrConverter
from realtime.sources.containers import picture_stream
from realtime.sources.geometry import Orientation, orientation_of
from realtime.sources.timeline import in_decoding_order

ADTS = (b"\xff\xf1", b"\xff\xf9")  # the header of AAC in transport streams, which others drop
ADTS_BYTES = 7
MICROSECOND = Fraction(1, av.time_base)


@dataclass(frozen=True)
class Track:
    """A track of sound.

    Attributes:
        starts: of its packets, in seconds.
        packets: what they hold.
        hidden: how many of the first ones an edit list hides.
    """

    codec: str
    starts: tuple[Fraction, ...]
    packets: tuple[bytes, ...]
    hidden: int

    @property
    def heard_from(self) -> Fraction:
        """When the first packet begins that is not hidden."""
        return self.starts[min(self.hidden, len(self.starts) - 1)]


@dataclass(frozen=True, eq=False)
class Content:
    """A video as a player shows it.

    Attributes:
        times: of its pictures, in seconds.
        tick: seconds, the finest step of these.
        greys: (n,) mean of the plain part of each picture.
        patches: (n, 3) mean colour of the flat patch, BGR.
        upright: True if the marks lie where they are drawn; else all the rest is as if they did.
        aspect: width to height on the screen.
    """

    times: tuple[Fraction, ...]
    tick: Fraction
    greys: np.ndarray
    patches: np.ndarray
    upright: bool
    aspect: Fraction
    tracks: tuple[Track, ...] = ()


def read(path: Path) -> Content:
    """Read a video by FFmpeg's libraries.

    Raises:
        av.FFmpegError: it cannot be read.
        ValueError: it holds no picture, or packets without times.
    """
    with av.open(str(path)) as container:
        stream = picture_stream(container)
        if stream is None:
            raise ValueError(f"no video in {path}")
        index, tick = container.streams.video.index(stream), stream.time_base or MICROSECOND
        pixel = stream.sample_aspect_ratio or Fraction(1)
        times, tracks = _packets(container, stream.index)
    with av.open(str(path)) as container:
        to_bgr, images, turned = BgrConverter(), [], False
        for frame in container.decode(container.streams.video[index]):
            orientation = orientation_of(frame)
            images.append(orientation.upright(to_bgr(frame)))
            turned = orientation.swapped
    return of_pictures(images, times, tick=tick, pixel=1 / pixel if turned else pixel,
                       tracks=tracks)  # fmt: skip


def _packets(
    container: "av.container.InputContainer", picture: int
) -> tuple[list[Fraction], tuple[Track, ...]]:
    """The times at which pictures are shown, and the tracks of sound."""
    times: list[Fraction] = []
    sounds: dict[int, list[tuple[Fraction, bytes, bool]]] = {
        stream.index: [] for stream in container.streams.audio
    }
    decoding = in_decoding_order(container)
    for packet in container.demux():
        is_picture = packet.stream_index == picture
        if not packet.size or (is_picture and packet.is_discard):  # an edit list hides it
            continue
        time = packet.dts if decoding or packet.pts is None else packet.pts
        if time is None or not packet.time_base:
            raise ValueError("a packet without a time")
        start = time * packet.time_base
        if is_picture:
            times.append(start)
        elif packet.stream_index in sounds:
            sounds[packet.stream_index].append((start, _bare(bytes(packet)), packet.is_discard))
    return sorted(times), tuple(
        _track(stream.codec_context.name, sounds[stream.index])
        for stream in container.streams.audio
        if sounds[stream.index]
    )


def _track(codec: str, packets: list[tuple[Fraction, bytes, bool]]) -> Track:
    starts, contents, hidden = zip(*packets, strict=True)
    first = next((number for number, is_hidden in enumerate(hidden) if not is_hidden), 0)
    return Track(codec, starts, contents, first)


def _bare(data: bytes) -> bytes:
    return data[ADTS_BYTES:] if data.startswith(ADTS) else data


def read_animation(path: Path) -> Content:
    """Read a GIF or WebP by Pillow.

    Raises:
        OSError: it cannot be read.
    """
    from PIL import Image, ImageSequence

    images, times, time = [], [], Fraction(0)
    with Image.open(path) as file:
        for frame in ImageSequence.Iterator(file):
            images.append(np.asarray(frame.convert("RGB"))[..., ::-1])
            times.append(time)
            time += Fraction(frame.info["duration"], 1000)
    return of_pictures(images, times, tick=Fraction(1, 1000))


def of_pictures(
    images: list[np.ndarray], times: list[Fraction], *, tick: Fraction,
    pixel: Fraction = Fraction(1), tracks: tuple[Track, ...] = (),
) -> Content:  # fmt: skip
    """The content of pictures, BGR uint8 (H, W, 3), whose pixels have an aspect."""
    if not images:
        raise ValueError("no picture")
    height, width = images[0].shape[:2]
    turned = max(ORIENTATIONS, key=lambda one: _contrast(one.upright(images[0])))
    parts = [_parts(turned.upright(image)) for image in images]
    aspect = Fraction(width, height) * pixel
    return Content(
        times=tuple(times),
        tick=tick,
        greys=np.array([part["grey"].mean() for part in parts]),
        patches=np.array([part["patch"] for part in parts]),
        upright=turned == Orientation(),
        aspect=1 / aspect if turned.swapped else aspect,
        tracks=tracks,
    )


def _contrast(image: np.ndarray) -> float:
    """How much lighter the white mark is than the black one, if an image is upright."""
    parts = _parts(image)
    return float(parts["white"].mean() - parts["black"].mean())


def _parts(image: np.ndarray) -> dict[str, np.ndarray]:
    """The mean colours of what `inputs.shown` draws, away from its edges."""
    height, width = image.shape[:2]

    def mean(top: float, bottom: float, left: float, right: float) -> np.ndarray:
        rows = slice(round(top * height), round(bottom * height))
        return image[rows, round(left * width) : round(right * width)].mean(axis=(0, 1))

    return {
        "grey": mean(0.4, 0.6, 0.1, 0.4),
        "patch": mean(0.4, 0.6, 0.6, 0.9),
        "white": mean(0.83, 0.93, 0.07, 0.18),
        "black": mean(0.83, 0.93, 0.82, 0.93),
    }
