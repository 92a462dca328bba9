"""Labelled videos with the source's timestamps and audio; files stay playable after a kill."""

import os
import struct
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from preprocessing.errors import SinkError
from realtime.colours.yuv import plane_pairs, to_i420
from realtime.runtime.worker import codec_threads
from realtime.sinks.audio import AudioCopy
from realtime.sinks.destinations import (
    Destination,
    file_destination,
    is_file_like,
    pipe_destination,
    stream_destination,
)
from realtime.sinks.encoders import DEFAULT, ENCODERS, Encoder, encoder_for
from realtime.sinks.sound_tracks import tags_in
from realtime.sources.geometry import letterboxed
from realtime.sources.sound import FileSound
from realtime.types import Frame, LabelledFrame, Sound, SourceInfo

DEFAULT_RATE = Fraction(30)
LONGEST_PAUSE = 1.0  # seconds that a frame waits for its time, where a stream is sent


class VideoSink:
    """The labelled frames as H.264 or H.265: a file, a pipe or a stream.

    Args:
        target: a file whose suffix is one of CONTAINERS, a pipe or device, or the URL of a server.
        audio: True to copy the source's audio, unchanged.
        encoder: a name of ENCODERS, or "auto".

    Raises:
        DeviceError: the encoder is not here.
    """

    needs_picture = True

    def __init__(self, target: Path | str, *, audio: bool, encoder: str = DEFAULT):
        self.target, self._audio, self._encoder = target, audio, encoder_for(encoder)
        self._file: VideoFile | None = None

    def open(self, info: SourceInfo) -> None:
        self._file = VideoFile(self.target, info, audio=self._audio, encoder=self._encoder)

    def write(self, labelled: LabelledFrame) -> None:
        assert self._file is not None, "open() comes first"
        self._file.write(labelled.picture, labelled.frame)

    def close(self, *, complete: bool) -> None:
        if self._file is not None:
            self._file.close(complete=complete)


class VideoFile:
    """An open file, pipe or stream of an encoder.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(
        self,
        target: Path | str,
        info: SourceInfo,
        *,
        audio: bool,
        encoder: Encoder = ENCODERS[DEFAULT],
    ):
        self._encoding = self._broken = False
        self._failure: SinkError | None = None
        self._width, self._height = info.width + info.width % 2, info.height + info.height % 2
        # One picture for all frames: encoders copy it, and a new one costs more than its filling.
        self._picture = av.VideoFrame(self._width, self._height, "yuv420p")
        self._planes = np.empty((self._height * 3 // 2, self._width), np.uint8)
        self._size, self._matrix = (info.width, info.height), info.colours.matrix
        sound = (info.sound or (FileSound(info.path) if info.path else None)) if audio else None
        endless = info.live or not (
            info.frames or info.path or sound
        )  # such a pipe may be a camera
        self._destination = _destination(target, sound, endless=endless)
        self._pace = Pace() if self._destination.live and not info.live else None
        try:
            self._container = self._destination.open()
            self._container.metadata.update(info.tags)
            self._stream = self._add_video(info, encoder)
            self._audio = None
            if sound:
                self._audio = AudioCopy(sound, self._container, shift=info.shift, part=info.part)
            if self._destination.live:  # that nobody listens shows at once
                self._start()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._failed(error) from error

    def _add_video(self, info: SourceInfo, encoder: Encoder) -> "av.VideoStream":
        rate, live = info.rate or DEFAULT_RATE, self._destination.live
        options = {**encoder.options, **(encoder.live if live else {})}
        stream = self._container.add_stream(encoder.name, rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, encoder.pix_fmt
        context = stream.codec_context
        if tag := encoder.tag_in(self._container.format.name):
            context.codec_tag = tag
        context.thread_count = codec_threads()
        context.time_base = stream.time_base = info.time_base
        context.color_range = ColorRange.MPEG
        context.colorspace = info.colours.matrix
        context.color_primaries = info.colours.primaries
        context.color_trc = info.colours.transfer
        if info.aspect != 1:
            context.sample_aspect_ratio = info.aspect
        stream.metadata.update(tags_in(self._container.format.name, info.track_tags))
        context.gop_size = max(1, round(self._destination.key_frame_seconds * rate))
        return stream

    def write(self, image: np.ndarray, frame: Frame) -> None:
        """Encode an image, BGR uint8 (H, W, 3), at the time of a frame.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        to_i420(self._fit(image), matrix=self._matrix, out=self._planes)
        for rows, plane in plane_pairs(self._picture, self._planes):
            rows[:] = plane
        self._picture.pts, self._picture.time_base = frame.pts, frame.time_base
        try:
            if self._pace:
                self._pace.wait(frame.time)
            self._start()  # not before: an mp4 ended without a frame crashes FFmpeg
            if self._audio:
                self._audio.copy_until(frame.time)
            self._container.mux(self._stream.encode(self._picture))
        except (av.FFmpegError, OSError) as error:
            self._broken = True
            raise self._failed(error) from error

    def _start(self) -> None:
        if not self._encoding:
            self._container.start_encoding()
            self._encoding = True

    def close(self, *, complete: bool) -> None:
        """Finish the file.

        Args:
            complete: copy the audio after the last frame as well.

        Raises:
            SinkError: its last part cannot be written.
        """
        try:
            if self._encoding:
                self._container.mux(self._stream.encode(None))
                if self._audio and complete:
                    self._audio.copy_until(float("inf"))
            self._container.close()
            self._destination.close()
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        finally:
            if self._audio:
                self._audio.close()
            with suppress(OSError):
                self._destination.close()
            path = self._destination.path
            if self._broken and path and path.suffix.lower() != ".mkv":
                drop_partial_header(path)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """The image at the file's size: odd sides get a repeated pixel, other sizes a letterbox."""
        width, height = self._size
        image = letterboxed(image, width=width, height=height)
        right, bottom = self._width - width, self._height - height
        if not (right or bottom):
            return image
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)

    def _failed(self, error: Exception) -> SinkError:
        """The first failure: what fails after it says less."""
        found = self._destination.failed(error, begun=self._encoding)
        self._failure = self._failure or found
        return self._failure


def _destination(target: Path | str, sound: Sound | None, *, endless: bool) -> Destination:
    if isinstance(target, str):
        return stream_destination(target)
    if is_file_like(target):
        return file_destination(target, endless=endless)
    try:
        return pipe_destination(target, sound)
    except OSError as error:
        raise SinkError(f"cannot write {target}: {error.strerror}") from error


class Pace:
    """Holds frames back until their time has come, as a server of streams expects of files."""

    def __init__(self) -> None:
        self._start: float | None = None

    def wait(self, seconds: float) -> None:
        """Wait until a frame of this time is due, at most LONGEST_PAUSE."""
        now = time.monotonic()
        if self._start is None:
            self._start = now - seconds
        pause = self._start + seconds - now
        self._start -= max(0.0, pause - LONGEST_PAUSE)  # a longer gap is left out
        time.sleep(min(LONGEST_PAUSE, max(0.0, pause)))


def drop_partial_header(path: Path) -> None:
    """Truncate an mp4 file that ends inside a box other than picture data, to before that box.

    Players skip incomplete pictures, but an incomplete header makes the whole file unreadable.
    """
    with suppress(OSError), path.open("r+b") as file:
        size, place = file.seek(0, os.SEEK_END), 0
        while place < size:
            file.seek(place)
            header = file.read(8)
            length, kind = struct.unpack(">I4s", header) if len(header) == 8 else (0, b"")
            if length < 8 or place + length > size:
                if kind != b"mdat":
                    file.truncate(place)
                return
            place += length
