"""Video files, segments of them, and network streams, decoded by PyAV."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.reformatter import ColorRange

from preprocessing.errors import BrokenSourceError, DeviceError, SourceError
from realtime.runtime.worker import codec_threads
from realtime.types import Colours, Frame, SourceInfo
from realtime.yuv import plane_pairs

OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 5.0  # seconds, of network streams
MISSING_TAIL = 0.5  # seconds by which a container may overstate its length
ROTATIONS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class VideoSource:
    """A video file or network stream; a stream without a length is live.

    Args:
        start: ticks of the stream, to read a file from the key frame before; None for its start.
        hwaccel: FFmpeg's name of the device that decodes (cuda, vaapi); "" for the CPU.

    Raises:
        SourceError: it does not open, or holds no picture.
        DeviceError: there is no such device, or it cannot decode this.
    """

    def __init__(self, url: str, *, network: bool, start: int | None = None, hwaccel: str = ""):
        self.failed = 0
        self._url = url
        self._read_error: Exception | None = None
        self._reading = False
        timeout = (OPEN_TIMEOUT, READ_TIMEOUT) if network else None
        options = {"rtsp_transport": "tcp"} if url.startswith("rtsp") else {}
        try:
            self._container = av.open(
                url, timeout=timeout, options=options, metadata_errors="replace",
                hwaccel=_decoder(hwaccel),
            )  # fmt: skip
        except (av.FFmpegError, OSError, RuntimeError) as error:
            if not hwaccel:
                raise SourceError(_why_not_open(url, error)) from error
            raise DeviceError(f"{hwaccel} cannot decode {url} ({error}): leave --hwaccel out"
                              ) from error  # fmt: skip
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"no video stream in {url}: name a file that holds video")
        self._live = network and not self._container.duration
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        if self._stream.codec_context:  # else a damaged header names no codec that there is
            self._stream.codec_context.thread_count = codec_threads()
        if start is not None:
            self._container.seek(start, stream=self._stream)
        self._first = self._decode_first()
        # A transport stream's clock may wrap soon after its start, which is then before 0.
        self._shift = max(0, -(self._first.pts or 0))  # ticks
        self._time_base = self._stream.time_base or Fraction(1, av.time_base)
        self.info = self._read_info()

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        # A read that hangs on another thread must keep its memory: it ends with the process.
        if not self._reading:
            self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        count, last = 0, None
        for picture in self._pictures():
            pts = self._increasing_pts(picture, last)
            yield Frame(_upright(picture), count, pts, self.info.time_base, time.monotonic())
            count, last = count + 1, pts
        self._check_complete(count, last)

    def _decode_first(self) -> "av.VideoFrame":
        """The first picture, whose rotation decides the upright size."""
        self._decoder = self._decode()
        first = next(self._decoder, None)
        if first is None:
            self._container.close()
            raise SourceError(f"{self._url} holds no decodable frame: the file is empty or damaged")
        return first

    def _pictures(self) -> Iterator["av.VideoFrame"]:
        yield self._first
        yield from self._decoder

    def _decode(self) -> Iterator["av.VideoFrame"]:
        """Decoded pictures; a packet that cannot be decoded is counted and skipped."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                self._reading = True
                packet = next(packets, None)
                self._reading = False
            except (av.FFmpegError, OSError) as error:
                self._reading = False
                self.failed += 1
                self._read_error = error
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.failed += 1

    def _increasing_pts(self, picture: "av.VideoFrame", last: int | None) -> int:
        """The picture's time in ticks; a frame after `last` if it has none or goes backwards."""
        pts = None if picture.pts is None else picture.pts + self._shift
        if last is None:
            return pts or 0
        return pts if pts is not None and pts > last else last + self._frame_ticks()

    def _frame_ticks(self) -> int:
        """The mean length of a frame in ticks, at least one."""
        rate = self._stream.average_rate
        return max(1, round(1 / (rate * self._time_base))) if rate else 1

    def _check_complete(self, count: int, last: int | None) -> None:
        """Check that the file did not end before what its header promises.

        Raises:
            BrokenSourceError: it did, or the stream was interrupted.
        """
        if self._live:
            if self._read_error is not None:
                raise BrokenSourceError(
                    f"{self._url} broke off after {count} frames ({self._read_error}); they are "
                    "kept, start again to continue"
                )
            return
        promised = self._stream.frames
        end = float(((last or 0) - self._shift + self._frame_ticks()) * self._time_base)
        length = self._container.duration / av.time_base if self._container.duration else end
        start = (self._container.start_time or 0) / av.time_base
        early = end - start < 0.98 * length - MISSING_TAIL
        if early or (count < promised and self._read_error):
            of = promised or f"about {round(count * length / max(end - start, 1e-6))}"
            raise BrokenSourceError(
                f"{self._url} is truncated: {count} of {of} frames; those {count} are kept"
            )

    def _read_info(self) -> SourceInfo:
        width, height = self._first.width, self._first.height
        if _quarter_turns(self._first) % 2:
            width, height = height, width
        rate = self._stream.average_rate or self._stream.guessed_rate
        length = (self._container.duration or 0) / av.time_base
        frames = self._stream.frames or (round(length * rate) if rate and length else None)
        return SourceInfo(
            name=self._url,
            width=width,
            height=height,
            rate=rate,
            time_base=self._time_base,
            frames=None if self._live else frames,
            live=self._live,
            shift=self._shift * self._time_base,
            path=None if self._live else self._url,
            colours=Colours(
                self._first.colorspace, self._first.color_primaries, self._first.color_trc
            ),
        )


def to_bgr(picture: "av.VideoFrame") -> np.ndarray:
    """Convert a picture to BGR uint8 (H, W, 3).

    OpenCV converts twice as fast as FFmpeg's scaler and nearer to the formula. It takes 4:2:0 of
    limited range and even size, as most files have; it always uses the BT.601 matrix, as the
    conversion back in sinks/video.py does, so that the file's own colours survive.
    """
    if picture.width % 2 or picture.height % 2 or "yuv" not in picture.format.name:
        return picture.to_ndarray(format="bgr24")
    if picture.format.name != "yuv420p" or picture.color_range == ColorRange.JPEG:
        picture = picture.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG)
    packed = np.empty((picture.height * 3 // 2, picture.width), np.uint8)
    for rows, plane in plane_pairs(picture, packed):
        plane[:] = rows
    return cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420)


def _decoder(name: str) -> "HWAccel | None":
    """PyAV's handle of a device that decodes and copies its pictures to main memory.

    Raises:
        DeviceError: FFmpeg has no such device here.
    """
    if not name:
        return None
    have = hwdevices_available()
    if name not in have:
        raise DeviceError(f"--hwaccel {name}: this machine's PyAV has {', '.join(have) or 'none'}")
    return HWAccel(device_type=name, allow_software_fallback=False)


def _upright(picture: "av.VideoFrame") -> np.ndarray:
    image = to_bgr(picture)
    turns = _quarter_turns(picture)
    return cv2.rotate(image, ROTATIONS[turns]) if turns else image


def _quarter_turns(picture: "av.VideoFrame") -> int:
    """Counter-clockwise quarter turns that make the picture upright, 0 to 3."""
    return round(picture.rotation / 90) % 4


def _why_not_open(url: str, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"no permission to read {url}: check its permissions"
    if isinstance(error, av.InvalidDataError):
        return f"not a video: {url}"
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot open {url}: {reason}"


@dataclass(frozen=True)
class Segment:
    """Consecutive frames of a file.

    Attributes:
        path: of the file.
        first, last: indices of its frames, `last` excluded.
        start: presentation time of the first one in ticks of the stream.
    """

    path: str
    first: int
    last: int
    start: int


def segments_of(path: str, frames: int) -> list[Segment]:
    """Split a file into segments of so many frames; reads only the times of its packets.

    Raises:
        SourceError: it is not a video, or has no times.
    """
    try:
        with av.open(path, metadata_errors="replace") as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                raise SourceError(f"no video stream in {path}: name a file that holds video")
            times = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
    if not times:
        raise SourceError(f"{path} holds no frame with a time")
    return [
        Segment(path, first, min(first + frames, len(times)), times[first])
        for first in range(0, len(times), frames)
    ]


class SegmentSource:
    """The frames of a segment, with their indices and times in the whole file."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._source = VideoSource(segment.path, network=False, start=segment.start)
        name = f"{Path(segment.path).name}, {segment.first} to {segment.last}"
        count = segment.last - segment.first
        self.info = replace(self._source.info, name=name, frames=count, path=None)

    @property
    def failed(self) -> int:
        """Packets that could not be decoded."""
        return self._source.failed

    def __enter__(self) -> "SegmentSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    def __iter__(self) -> Iterator[Frame]:
        wanted = range(self._segment.first, self._segment.last)
        shift = self._source.info.shift / self._source.info.time_base
        frames = (frame for frame in self._source if frame.pts - shift >= self._segment.start)
        for index, frame in zip(wanted, frames, strict=False):
            yield replace(frame, index=index)
