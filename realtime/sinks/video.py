"""H.264 files with the source's timestamps and audio, which stay playable after a kill."""

import errno
import os
import struct
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
from realtime.sinks.audio import AudioCopy, tags_in
from realtime.sources.geometry import letterboxed
from realtime.types import Frame, LabelledFrame, SourceInfo

# Fragments reach the disk ten times a second, so that a killed run leaves a playable file; a normal
# end turns them into an ordinary mp4. The edit list keeps a late start, or audio that starts early.
MP4_OPTIONS = {
    "movflags": "hybrid_fragmented",
    "frag_duration": "100000",
    "use_editlist": "1",
    "flush_packets": "1",
}
# FFmpeg's options for each kind of file that can be written.
CONTAINERS = {
    ".mp4": MP4_OPTIONS,
    ".m4v": MP4_OPTIONS,
    ".mov": MP4_OPTIONS,
    ".mkv": {"flush_packets": "1"},
}
# No B-frames and no look-ahead: nothing waits inside the encoder, and time order is file order.
# Whole-pixel motion and CAVLC: a third less time for a sixth more bytes, no visible difference.
ENCODER_OPTIONS = {
    "preset": "superfast",
    "crf": "23",
    "bf": "0",
    "x264-params": "subme=0:cabac=0",
}
KEY_FRAME_SECONDS = 2
DEFAULT_RATE = Fraction(30)


class VideoSink:
    """The labelled frames as an H.264 file.

    Args:
        path: its suffix is one of CONTAINERS.
        audio: True to copy the source's audio, unchanged.
    """

    needs_picture = True

    def __init__(self, path: Path, *, audio: bool):
        self._path, self._audio = path, audio
        self._file: VideoFile | None = None

    def open(self, info: SourceInfo) -> None:
        self._file = VideoFile(self._path, info, audio=self._audio)

    def write(self, labelled: LabelledFrame) -> None:
        assert self._file is not None, "open() comes first"
        self._file.write(labelled.picture, labelled.frame)

    def close(self, *, complete: bool) -> None:
        if self._file is not None:
            self._file.close(complete=complete)


class VideoFile:
    """An open H.264 file.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path, info: SourceInfo, *, audio: bool):
        self._path = path
        self._encoding = self._broken = False
        self._width, self._height = info.width + info.width % 2, info.height + info.height % 2
        # One picture for all frames: encoders copy it, and a new one costs more than its filling.
        self._picture = av.VideoFrame(self._width, self._height, "yuv420p")
        self._planes = np.empty((self._height * 3 // 2, self._width), np.uint8)
        self._size, self._matrix = (info.width, info.height), info.colours.matrix
        try:
            options = CONTAINERS[path.suffix.lower()]
            self._container = av.open(str(path), "w", options=dict(options))
            self._container.metadata.update(info.tags)
            self._stream = self._add_video(info)
            self._audio = None
            if audio and info.path:
                self._audio = AudioCopy(
                    info.path, self._container, shift=info.shift, part=info.part
                )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._failed(error) from error

    def _add_video(self, info: SourceInfo) -> "av.VideoStream":
        rate = info.rate or DEFAULT_RATE
        stream = self._container.add_stream("libx264", rate=rate, options=dict(ENCODER_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, "yuv420p"
        context = stream.codec_context
        context.thread_count = codec_threads()
        context.time_base = stream.time_base = info.time_base
        context.color_range = ColorRange.MPEG
        context.colorspace = info.colours.matrix
        context.color_primaries = info.colours.primaries
        context.color_trc = info.colours.transfer
        if info.aspect != 1:
            context.sample_aspect_ratio = info.aspect
        stream.metadata.update(tags_in(self._container.format.name, info.track_tags))
        context.gop_size = max(1, round(KEY_FRAME_SECONDS * rate))
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
            if not self._encoding:  # not before: an mp4 ended without a frame crashes FFmpeg
                self._container.start_encoding()
                self._encoding = True
            if self._audio:
                self._audio.copy_until(frame.time)
            self._container.mux(self._stream.encode(self._picture))
        except (av.FFmpegError, OSError) as error:
            self._broken = True
            raise self._failed(error) from error

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
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        finally:
            if self._audio:
                self._audio.close()
            if self._broken and self._path.suffix.lower() != ".mkv":
                drop_partial_header(self._path)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """The image at the file's size: odd sides get a repeated pixel, other sizes a letterbox."""
        width, height = self._size
        image = letterboxed(image, width=width, height=height)
        right, bottom = self._width - width, self._height - height
        if not (right or bottom):
            return image
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)

    def _failed(self, error: Exception) -> SinkError:
        number = getattr(error, "errno", None)
        if number == errno.ENOSPC:
            return SinkError(f"disk full while writing {self._path}: what is there is playable")
        return SinkError(f"cannot write {self._path}: {os.strerror(number) if number else error}")


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
