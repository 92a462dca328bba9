"""Where frames come from: files and streams, pictures, cameras.

A source is a context manager with `info`; iterating it gives Frames. `failed` counts packets and
pictures that could not be decoded.
"""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources.fake_camera import SCHEME, FakeSource
from realtime.sources.live_clock import TIME_BASE, LiveClock
from realtime.sources.reconnect import ReconnectingSource
from realtime.sources.video import VideoSource
from realtime.types import Frame, SourceInfo

STREAM_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "http://", "https://", "tcp://", "udp://")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
PICTURE_RATE = Fraction(25)


class Source(Protocol):
    """The contract of every source."""

    info: SourceInfo
    failed: int

    def __enter__(self) -> "Source": ...
    def __exit__(self, *exc_info: object) -> None: ...
    def __iter__(self) -> Iterator[Frame]: ...


def open_source(
    video: str | None, camera: int | None = None, *, reconnect: float = 0.0, hwaccel: str = ""
) -> Source:
    """The source that `--video` or `--camera` names; camera 0 where neither is given.

    Args:
        reconnect: seconds for which a live source that is lost is opened again; 0 for never.
        hwaccel: the device that decodes files and streams; "" for the CPU.

    Raises:
        SourceError: there is no such thing, or it is no video.
        DeviceError: the device cannot be had.
    """
    source = _open(video, camera, hwaccel)
    if not reconnect or not source.info.live:
        return source
    return ReconnectingSource(source, lambda: _open(video, camera, hwaccel), patience=reconnect)


def _open(video: str | None, camera: int | None, hwaccel: str) -> Source:
    if video is None:
        return CameraSource(camera or 0)
    if video.startswith(SCHEME):
        return FakeSource(video)
    if video.startswith(STREAM_SCHEMES):
        return VideoSource(video, network=True, hwaccel=hwaccel)
    path = Path(video)
    try:
        path.stat()
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise SourceError(f"{why}: {video[:200]}") from error
    if path.is_dir():
        return PictureSource(path, picture_files(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return PictureSource(path, [path])
    return VideoSource(video, network=False, hwaccel=hwaccel)


class PictureSource:
    """A picture, or a folder of pictures in the order of their names, at 25 a second."""

    def __init__(self, path: Path, files: list[Path]):
        self.failed = 0
        self._path, self._files = path, files
        first = next((image for image in map(_read_picture, files) if image is not None), None)
        if first is None:
            raise SourceError(f"no readable picture in {path}: {len(files)} tried")
        self.info = SourceInfo(
            name=str(path),
            width=first.shape[1],
            height=first.shape[0],
            rate=PICTURE_RATE,
            time_base=1 / PICTURE_RATE,
            frames=len(files),
            live=False,
        )

    def __enter__(self) -> "PictureSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index, file in enumerate(self._files):
            image = _read_picture(file)
            if image is None:
                self.failed += 1
            else:
                yield Frame(image, index, index, self.info.time_base, time.monotonic())


class CameraSource:
    """A camera of this machine, by its number."""

    def __init__(self, number: int):
        self.failed = 0
        # It tells of every backend that it tries; what matters is said in one line below.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise SourceError(_why_no_camera(number))
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.info = SourceInfo(
            name=f"camera {number}",
            width=width,
            height=height,
            rate=Fraction(rate).limit_denominator(1001) if rate > 0 else None,
            time_base=TIME_BASE,
            frames=None,
            live=True,
        )

    def __enter__(self) -> "CameraSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        clock, count = LiveClock(time.monotonic()), 0
        while True:
            done, image = self._capture.read()
            if not done:
                raise BrokenSourceError(
                    f"{self.info.name} gave no more frames after {count}; they are kept, check its "
                    "cable and start again"
                )
            now = time.monotonic()
            yield Frame(image, count, clock.ticks(now), TIME_BASE, now)
            count += 1


def picture_files(folder: Path) -> list[Path]:
    """The folder's pictures by name.

    Raises:
        SourceError: there is none.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise SourceError(f"no pictures in {folder}: wanted {' '.join(IMAGE_SUFFIXES)}")
    return files


def cameras() -> list[str]:
    """The video devices that this machine shows (Linux)."""
    return sorted(str(path) for path in Path("/dev").glob("video*"))


def _read_picture(path: Path) -> np.ndarray | None:
    """BGR uint8, turned upright by its EXIF tag; None if it is no picture."""
    try:
        return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None


def _why_no_camera(number: int) -> str:
    have = cameras()
    device = Path(f"/dev/video{number}")
    if not have:
        return f"no camera {number}: this machine shows none; use --video FILE or --demo"
    if not device.exists():
        return f"no camera {number}: have {', '.join(have)}; choose with --camera N"
    try:
        device.open("rb").close()
    except PermissionError:
        return f"may not open {device}: add yourself to the group `video`"
    except OSError as error:
        return f"camera {number} does not open ({error.strerror}): close what else uses it"
    return f"camera {number} is busy or gives no pictures: close what else uses it"
