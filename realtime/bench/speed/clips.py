"""Clips for the benchmarks, made from the demo: any size, moving or still, with sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer

from realtime.sources import DEMO

RATE = Fraction(25)
SOUND_RATE = 48_000
NOISE = 2.0  # grey levels of a still camera's noise
SIZES = {"480p": (640, 480), "720p": (1280, 720), "1080p": (1920, 1080)}


@dataclass(frozen=True)
class Clip:
    """A clip to build.

    Attributes:
        size: a name of SIZES.
        still: the demo's first frame with a camera's noise, not the demo in a loop.
        sound: with a tone.
    """

    frames: int
    size: str = "480p"
    still: bool = False
    sound: bool = False


def build(path: Path, clip: Clip) -> Path:
    """Write a clip as H.264, with a tone where it has sound."""
    width, height = SIZES[clip.size]
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        tone = target.add_stream("aac", rate=SOUND_RATE) if clip.sound else None
        for index, image in enumerate(pictures(clip)):
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = index, 1 / RATE
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
        if tone:
            _add_tone(target, tone, float(clip.frames / RATE))
    return path


def looped(path: Path, clip: Path, frames: int) -> Path:
    """A clip without sound in a loop of `frames` frames; nothing is encoded again."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        packets = [packet for packet in source.demux(video) if packet.size]
        data = [
            (bytes(packet), packet.pts or 0, packet.dts or 0, packet.is_keyframe)
            for packet in packets
        ]
        length = max((packet.pts or 0) + (packet.duration or 0) for packet in packets)
        stream = target.add_stream_from_template(video)
        for number in range(frames):
            turn, index = divmod(number, len(data))
            content, pts, dts, key = data[index]
            packet = av.Packet(content)
            packet.stream, packet.is_keyframe = stream, key
            packet.time_base = video.time_base or 1 / RATE
            packet.pts, packet.dts = pts + turn * length, dts + turn * length
            target.mux(packet)
    return path


def pictures(clip: Clip) -> Iterator[np.ndarray]:
    """BGR images (H, W, 3): the demo in a loop, or its first frame with a camera's noise."""
    width, height = SIZES[clip.size]
    with av.open(str(DEMO)) as source:
        decoded = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
    shown = [
        cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        for image in (decoded[:1] if clip.still else decoded)
    ]
    rng = np.random.default_rng(0)
    for index in range(clip.frames):
        image = shown[index % len(shown)]
        noise = rng.normal(0, NOISE, image.shape) if clip.still else 0
        yield np.clip(image + noise, 0, 255).astype(np.uint8)


def _add_tone(target: OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE)
    for start in range(0, len(wave), 1024):
        samples = wave[None, start : start + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate, frame.pts = SOUND_RATE, start
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
