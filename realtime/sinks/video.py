"""Writes H.264 files: the source's timestamps, its sound, and a file that survives a kill."""

import errno
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from preprocessing.errors import SinkError
from realtime.runtime.worker import codec_threads
from realtime.types import Frame, Garment, SourceInfo
from realtime.yuv import paired

# Fragments reach the disk ten times a second, so that a killed run leaves a playable file; a normal
# end turns them into an ordinary mp4. The edit list keeps a late start, or sound that starts early.
CONTAINER_OPTIONS = {
    "movflags": "hybrid_fragmented",
    "frag_duration": "100000",
    "use_editlist": "1",
    "flush_packets": "1",
}
# No B-frames and no look-ahead: nothing waits inside the encoder, and time order is file order.
# Motion in whole pixels and simple codes: a third less time for a sixth more bytes, looks the same.
ENCODER_OPTIONS = {
    "preset": "superfast",
    "crf": "23",
    "bf": "0",
    "x264-params": "subme=0:cabac=0",
}
KEY_FRAME_SECONDS = 2
DEFAULT_RATE = Fraction(30)


class VideoSink:
    """An H.264 file with the source's timestamps and, unchanged, its audio."""

    def __init__(self, path: Path, info: SourceInfo, *, audio: bool):
        self._path = path
        self._encoding = self._broken = False
        self._width, self._height = info.width + info.width % 2, info.height + info.height % 2
        # One picture for all frames: encoders copy it, and a new one costs more than its filling.
        self._picture = av.VideoFrame(self._width, self._height, "yuv420p")
        self._planes = np.empty((self._height * 3 // 2, self._width), np.uint8)
        options = CONTAINER_OPTIONS if path.suffix.lower() != ".mkv" else {"flush_packets": "1"}
        try:
            self._container = av.open(str(path), "w", options=dict(options))
            self._stream = self._add_video(info)
            self._audio = None
            if audio and info.path:
                self._audio = AudioCopy(info.path, self._container, shift=info.shift)
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
        context.gop_size = max(1, round(KEY_FRAME_SECONDS * rate))
        return stream

    def __enter__(self) -> "VideoSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Encode one frame.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        cv2.cvtColor(self._fit(frame.image), cv2.COLOR_BGR2YUV_I420, dst=self._planes)
        for rows, place in paired(self._picture, self._planes):
            rows[:] = place
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

    def __exit__(self, kind: type | None, *exc_info: object) -> None:
        try:
            if self._encoding:
                self._container.mux(self._stream.encode(None))
                if self._audio and kind is None:  # else the sound ends with the picture
                    self._audio.copy_until(float("inf"))
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            if kind is None:  # an earlier error tells more
                raise self._failed(error) from error
        finally:
            if self._audio:
                self._audio.close()
            if self._broken and self._path.suffix.lower() != ".mkv":
                cut_to_whole_headers(self._path)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """The image at the file's size: a pixel repeated at odd edges, other sizes letterboxed."""
        height, width = image.shape[:2]
        if (width, height) == (self._width, self._height):
            return image
        scale = min(self._width / width, self._height / height)
        if scale < 1 or self._width - width > 1 or self._height - height > 1:
            width, height = round(width * scale), round(height * scale)
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        right, bottom = self._width - width, self._height - height
        if max(right, bottom) <= 1:
            return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        sides = bottom // 2, bottom - bottom // 2, right // 2, right - right // 2
        return cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT)

    def _failed(self, error: Exception) -> SinkError:
        number = getattr(error, "errno", None)
        if number == errno.ENOSPC:
            return SinkError(f"disk full while writing {self._path}: what is there is playable")
        return SinkError(f"cannot write {self._path}: {os.strerror(number) if number else error}")


def cut_to_whole_headers(path: Path) -> None:
    """Cut an mp4 file that was broken off before a header that is not whole.

    Pictures cut in two are passed over by players, but half a header makes the file unreadable.
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


class AudioCopy:
    """Passes the input's audio packets, unchanged, into an output container.

    Args:
        shift: seconds added to their times.
    """

    def __init__(self, path: str, output: "av.container.OutputContainer", *, shift: Fraction):
        self._input = av.open(path, metadata_errors="replace")
        streams = self._input.streams.audio
        self._output = output
        self._targets = {s.index: output.add_stream_from_template(s) for s in streams}
        self._packets = self._moved(self._input.demux(*streams) if streams else (), shift)
        self._waiting = None

    def copy_until(self, seconds: float) -> None:
        """Write every packet that starts no later than `seconds`."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if float(packet.dts * packet.time_base) > seconds:
                self._waiting = packet
                return
            packet.stream = self._targets[packet.stream.index]
            self._output.mux(packet)

    @staticmethod
    def _moved(packets: Iterable["av.Packet"], shift: Fraction) -> Iterator["av.Packet"]:
        """The packets with their times shifted, without the demuxer's end markers."""
        for packet in packets:
            if packet.dts is None:
                continue
            ticks = round(shift / packet.time_base)
            packet.dts += ticks
            if packet.pts is not None:
                packet.pts += ticks
            yield packet

    def close(self) -> None:
        """Close the input."""
        self._input.close()
