"""Where labelled frames and rows go: video file, picture, window, JSONL, snapshots.

A sink is a context manager; `write(frame, garments)` takes an annotated frame with its garments.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from preprocessing.contact_sheet import write_image
from preprocessing.errors import SinkError
from realtime.types import UNKNOWN, Frame, Garment, SourceInfo

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
# Fragments reach the disk ten times a second, so that a killed run leaves a playable file; a normal
# end turns them into an ordinary mp4. The edit list keeps a late start, or sound that starts early.
CONTAINER_OPTIONS = {
    "movflags": "hybrid_fragmented",
    "frag_duration": "100000",
    "use_editlist": "1",
    "flush_packets": "1",
}
# No B-frames and no look-ahead: nothing waits inside the encoder, and time order is file order.
ENCODER_OPTIONS = {"preset": "superfast", "crf": "23", "bf": "0"}
KEY_FRAME_SECONDS = 2
DEFAULT_RATE = Fraction(30)
PROBE_SECONDS = 10


class Sink(Protocol):
    """The contract of every sink."""

    def __enter__(self) -> "Sink": ...
    def __exit__(self, *exc_info: object) -> None: ...
    def write(self, frame: Frame, garments: list[Garment]) -> None: ...


def check_output(path: Path, *, source: str | None) -> None:
    """Find out early that an output cannot be written.

    Raises:
        SinkError: its folder is missing or not writable, or it is the input itself.
    """
    if source and path.exists() and Path(source).exists() and path.samefile(source):
        raise SinkError(f"output {path} is the input: give -o another name")
    if path.is_dir():
        raise SinkError(f"output {path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise SinkError(f"no folder {path.parent} for {path.name}: `mkdir -p {path.parent}`")
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise SinkError(f"may not write {path}: check its permissions")


def video_or_picture(path: Path, info: SourceInfo, *, audio: bool) -> "Sink":
    """The sink for `-o`, by the name's suffix.

    Raises:
        SinkError: the suffix is neither that of a video nor of a picture.
    """
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return VideoSink(path, info, audio=audio)
    if suffix in PICTURE_SUFFIXES:
        return PictureSink(path)
    raise SinkError(
        f"unknown kind of output {path}: wanted {' '.join(VIDEO_SUFFIXES + PICTURE_SUFFIXES)}"
    )


class VideoSink:
    """An H.264 file with the source's timestamps and, unchanged, its audio."""

    def __init__(self, path: Path, info: SourceInfo, *, audio: bool):
        self._path = path
        self._width, self._height = info.width + info.width % 2, info.height + info.height % 2
        options = CONTAINER_OPTIONS if path.suffix.lower() != ".mkv" else {"flush_packets": "1"}
        try:
            self._container = av.open(str(path), "w", options=dict(options))
            self._stream = self._add_video(info)
            self._audio = AudioCopy(info.path, self._container) if audio and info.path else None
            self._container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._failed(error) from error

    def _add_video(self, info: SourceInfo) -> "av.VideoStream":
        rate = info.rate or DEFAULT_RATE
        stream = self._container.add_stream("libx264", rate=rate, options=dict(ENCODER_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, "yuv420p"
        context = stream.codec_context
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
        planes = cv2.cvtColor(self._fit(frame.image), cv2.COLOR_BGR2YUV_I420)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts, picture.time_base = frame.pts, frame.time_base
        try:
            if self._audio:
                self._audio.copy_until(frame.time)
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def __exit__(self, kind: type | None, *exc_info: object) -> None:
        try:
            self._container.mux(self._stream.encode(None))
            if self._audio and kind is None:
                self._audio.copy_until(float("inf"))
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            if kind is None:  # an earlier error tells more
                raise self._failed(error) from error
        finally:
            if self._audio:
                self._audio.close()

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


class AudioCopy:
    """Passes the input's audio packets, unchanged, into an output container."""

    def __init__(self, path: str, output: "av.container.OutputContainer"):
        self._input = av.open(path)
        streams = self._input.streams.audio
        self._output = output
        self._targets = {s.index: output.add_stream_from_template(s) for s in streams}
        self._packets = self._input.demux(*streams) if streams else iter(())
        self._waiting = None

    def copy_until(self, seconds: float) -> None:
        """Write every packet that starts no later than `seconds`."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if packet.dts is None:  # the demuxer's end marker
                continue
            if float(packet.dts * packet.time_base) > seconds:
                self._waiting = packet
                return
            packet.stream = self._targets[packet.stream.index]
            self._output.mux(packet)

    def close(self) -> None:
        """Close the input."""
        self._input.close()


class PictureSink:
    """The last frame as a picture."""

    def __init__(self, path: Path):
        self._path = path
        self._last: np.ndarray | None = None

    def __enter__(self) -> "PictureSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Keep the frame."""
        self._last = frame.image

    def __exit__(self, *exc_info: object) -> None:
        if self._last is not None:
            write_image(self._path, self._last)


class JsonlSink:
    """A row of JSON a garment, written as it comes.

    The keys are frame, time (s), track, box (x1 y1 x2 y2 in pixels), label and probability.
    """

    def __init__(self, path: Path, *, threshold: float):
        self._threshold = threshold
        try:
            self._file = path.open("w", buffering=1, encoding="utf-8")
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}") from error

    def __enter__(self) -> "JsonlSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Write the frame's garments.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        try:
            for garment in garments:
                self._file.write(json.dumps(self._row(frame, garment)) + "\n")
        except OSError as error:
            raise SinkError(f"cannot write {self._file.name}: {error.strerror}") from error

    def _row(self, frame: Frame, garment: Garment) -> dict:
        label = garment.label
        known = label.probability >= self._threshold
        return {
            "frame": frame.index,
            "time": round(frame.time, 6),
            "track": garment.track,
            "box": [round(float(side), 1) for side in garment.region.box],
            "label": label.name if known else UNKNOWN,
            "probability": round(label.probability, 4),
        }

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()


class SnapshotSink:
    """A PNG of the frame in which a garment is first named, one a track."""

    def __init__(self, folder: Path, *, threshold: float):
        self._folder, self._threshold = folder, threshold
        self._seen: set[int] = set()

    def __enter__(self) -> "SnapshotSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Save the frame if it names a new track."""
        named = {g.track for g in garments if g.label.probability >= self._threshold}
        if named - self._seen:
            self._seen |= named
            save_snapshot(self._folder, frame)

    def __exit__(self, *exc_info: object) -> None:
        pass


def save_snapshot(folder: Path, frame: Frame) -> Path:
    """Write a frame as frame-000123.png into the folder; its path."""
    path = folder / f"frame-{frame.index:06d}.png"
    write_image(path, frame.image)
    return path


class Window:
    """A window on the screen: q or Esc quits, space pauses, s saves a snapshot."""

    TITLE = "garments (q quits, space pauses, s saves)"

    def __init__(self, snapshots: Path):
        self._snapshots = snapshots
        cv2.namedWindow(self.TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def __enter__(self) -> "Window":
        return self

    def show(self, frame: Frame, stopped: Callable[[], bool]) -> bool:
        """Show a frame and serve the keys; False when the user quits."""
        cv2.imshow(self.TITLE, frame.image)
        paused = False
        while not stopped():
            key = cv2.waitKey(50 if paused else 1) & 0xFF
            if key in (ord("q"), 27) or cv2.getWindowProperty(self.TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if key == ord("s"):
                save_snapshot(self._snapshots, frame)
            paused ^= key == ord(" ")
            if not paused:
                return True
        return False

    def __exit__(self, *exc_info: object) -> None:
        cv2.destroyAllWindows()


def has_display() -> bool:
    """Whether a window can be opened; tried in a child process, since a failure aborts it."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    probe = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
