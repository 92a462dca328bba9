"""Cameras of this machine."""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources.live_clock import TIME_BASE, LiveClock
from realtime.types import Frame, SourceInfo


class CameraSource:
    """A camera of this machine, by its number.

    Raises:
        SourceError: it does not open.
    """

    def __init__(self, number: int):
        self.failed = 0
        # OpenCV warns of every backend that it tries; one line below says what matters.
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


def cameras() -> list[str]:
    """Return the video devices of this machine, e.g. /dev/video0 (Linux)."""
    return sorted(str(path) for path in Path("/dev").glob("video*"))


def _why_no_camera(number: int) -> str:
    have = cameras()
    device = Path(f"/dev/video{number}")
    if not have:
        return f"no camera {number}: this machine has none; use --video FILE or --demo"
    if not device.exists():
        return f"no camera {number}: have {', '.join(have)}; choose with --camera N"
    try:
        device.open("rb").close()
    except PermissionError:
        return f"no permission to open {device}: add yourself to the group `video`"
    except OSError as error:
        return f"camera {number} does not open ({error.strerror}): close what else uses it"
    return f"camera {number} is busy or gives no pictures: close what else uses it"
