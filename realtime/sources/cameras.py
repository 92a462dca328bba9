"""Cameras: those of this machine, and a simulated one for tests and benchmarks.

The simulated camera shows the demo clip or another one: `fake://30fps?drop=5%&clip=a.mkv`. Its
frames carry its clock as a bar code, so that a benchmark can measure how old a shown frame is.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote

import av
import cv2
import numpy as np

from preprocessing.errors import BrokenSourceError, SourceError
from realtime.sources import DEMO
from realtime.sources.addresses import FAKE_SCHEME
from realtime.sources.devices import (
    CameraMode,
    difference,
    given_mode,
    opened_capture,
    set_mode,
    sizes_of,
    why_no_camera,
)
from realtime.sources.source import TIME_BASE, LiveClock
from realtime.types import Frame, SourceInfo

TROUBLE_SECONDS = 2.0  # after which the stall, or the other size, comes
BITS, SUM_BITS = 24, 8  # of the clock in milliseconds, and of its check sum
CELL = 12  # pixels a side of a bit
MAX_RATE = 1000  # frames a second
MOST_PICTURES = 300  # of a clip that are shown, again and again
POLL_SECONDS = 0.01  # between checks of the clock during a stall
logger = logging.getLogger(__name__)

_switched_on: dict[str, float] = {}  # times by URL: opened again, it is the same camera


class CameraSource:
    """A camera of this machine, by its number.

    Where it does not give what it is asked for, a warning says what it gives.

    Raises:
        SourceError: it does not open, or gives no pictures.
    """

    def __init__(self, number: int, mode: CameraMode | None = None):
        self.failed = 0
        self._reading = self._left = False
        # OpenCV warns of every backend that it tries; one line below says what matters.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = opened_capture(number)
        if not self._capture.isOpened():
            raise SourceError(why_no_camera(number))
        given = self._asked_for(mode, number) if mode else self._given(CameraMode(), number)
        width, height = given.size or (0, 0)
        self.info = SourceInfo(
            name=f"camera {number}",
            width=width,
            height=height,
            rate=Fraction(given.rate).limit_denominator(1001) if given.rate else None,
            time_base=TIME_BASE,
            frames=None,
            live=True,
        )

    def _asked_for(self, mode: CameraMode, number: int) -> CameraMode:
        """The mode that the camera takes when it is asked for one, by a picture of its own."""
        given = self._given(mode, number)
        if difference(given, mode, ()):
            sizes = () if given.size == mode.size else sizes_of(self._capture)
            given = self._given(mode, number)
            logger.warning("camera %d %s", number, difference(given, mode, sizes))
        return given

    def _given(self, mode: CameraMode, number: int) -> CameraMode:
        set_mode(self._capture, mode)
        done, image = self._capture.read()  # only then drivers say what they give
        if not done:
            self._capture.release()
            if not mode:
                raise SourceError(why_no_camera(number))
            raise SourceError(f"camera {number} gives no pictures in {mode}: try another "
                              "--camera-size or --camera-format")  # fmt: skip
        return given_mode(self._capture, image)

    def __enter__(self) -> "CameraSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._left = True
        if not self._reading:  # else a driver that hangs would hold up this thread too
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        clock, count = LiveClock(time.monotonic()), 0
        while True:
            self._reading = True
            done, image = self._capture.read()
            self._reading = False
            if self._left:
                self._capture.release()
                return
            if not done:
                raise BrokenSourceError(
                    f"{self.info.name} gave no more frames after {count}; they are kept, check its "
                    "cable and start again"
                )
            now = time.monotonic()
            yield Frame(image, count, clock.ticks(now), TIME_BASE, now)
            count += 1


@dataclass(frozen=True)
class FakeCamera:
    """The behaviour of a fake camera.

    Attributes:
        rate: frames a second.
        drop: fraction of the frames that never come.
        stall: seconds without a frame, TROUBLE_SECONDS after it was first opened.
        resize: True if its pictures have half the side after that.
        lasts: seconds after which it is unplugged; 0 for never.
        breaks: frames after which a connection breaks off; 0 for never.
        clip: the video that it shows.
    """

    rate: Fraction
    drop: float = 0.0
    stall: float = 0.0
    resize: bool = False
    lasts: float = 0.0
    breaks: int = 0
    clip: str = str(DEMO)


def read_url(url: str) -> FakeCamera:
    """Parse a URL such as fake://30fps?drop=5%&stall=3s&resize=1&for=10s&breaks=1000.

    Raises:
        SourceError: it is not of that form.
    """
    rate, _, query = url.removeprefix(FAKE_SCHEME).partition("?")
    rate = rate.removesuffix("fps") or "30"
    try:
        if not 0 < float(rate) <= MAX_RATE:  # before a fraction of 9e999999999 is computed
            raise ValueError
        given = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        given.pop("name", "")  # distinguishes cameras of the same behaviour
        camera = FakeCamera(
            rate=Fraction(rate),
            drop=float(given.pop("drop", "0").removesuffix("%")) / 100,
            stall=float(given.pop("stall", "0").removesuffix("s")),
            resize=bool(int(given.pop("resize", "0"))),
            lasts=float(given.pop("for", "0").removesuffix("s")),
            breaks=int(given.pop("breaks", "0")),
            clip=unquote(given.pop("clip", str(DEMO))),
        )
        if given or not 0 <= camera.drop < 1:
            raise ValueError
    except (ValueError, ZeroDivisionError) as error:
        raise SourceError(f"not a fake camera: {url}; wanted fake://30fps?drop=5%&stall=3s&"
                          "resize=1&for=10s&breaks=1000&clip=FILE") from error  # fmt: skip
    return camera


@lru_cache(maxsize=1)
def _pictures(path: str) -> tuple[np.ndarray, ...]:
    """The first pictures of a clip.

    Raises:
        SourceError: it is no video.
    """
    try:
        with av.open(path) as clip:
            frames = islice(clip.decode(video=0), MOST_PICTURES)
            return tuple(frame.to_ndarray(format="bgr24") for frame in frames)
    except (av.FFmpegError, IndexError) as error:
        raise SourceError(f"the clip of a fake camera is no video: {path} ({error})") from error


class FakeSource:
    """The fake camera as a source.

    Raises:
        SourceError: it is stalled or unplugged at this moment, or has no such clip.
    """

    def __init__(self, url: str):
        self.failed = 0
        self._camera = read_url(url)
        self._url = url
        now = time.monotonic()
        age = now - _switched_on.get(url, now)
        if self._stalled(age) or self._unplugged(age):
            raise SourceError(f"{url} does not answer")
        height, width = self._picture(0, age).shape[:2]
        self.info = SourceInfo(
            name=url, width=width, height=height, rate=self._camera.rate, time_base=TIME_BASE,
            frames=None, live=True,
        )  # fmt: skip

    def __enter__(self) -> "FakeSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        rng = np.random.default_rng(0)
        start, count, number = time.monotonic(), 0, 0
        clock = LiveClock(start)
        on = _switched_on.setdefault(self._url, start)
        while True:
            due = start + float(number / self._camera.rate)
            time.sleep(max(0.0, due - time.monotonic()))
            while self._stalled(time.monotonic() - on):
                time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if self._unplugged(now - on) or 0 < self._camera.breaks <= count:
                return
            number = max(number + 1, int((now - start) * self._camera.rate))
            if rng.random() < self._camera.drop:
                continue
            image = self._picture(number, now - on)
            draw_clock(image, now)
            yield Frame(image, count, clock.ticks(now), TIME_BASE, now)
            count += 1

    def _stalled(self, age: float) -> bool:
        return TROUBLE_SECONDS <= age < TROUBLE_SECONDS + self._camera.stall

    def _unplugged(self, age: float) -> bool:
        return 0 < self._camera.lasts <= age

    def _picture(self, number: int, age: float) -> np.ndarray:
        pictures = _pictures(self._camera.clip)
        image = pictures[number % len(pictures)]
        if self._camera.resize and age >= TROUBLE_SECONDS:
            return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return image.copy()


def draw_clock(image: np.ndarray, now: float) -> None:
    """Draw a time of time.monotonic() as black and white cells along a BGR image's lower edge."""
    value = int(1000 * now) % 2**BITS
    value = value << SUM_BITS | _check_sum(value)
    bits = value >> np.arange(BITS + SUM_BITS)[::-1] & 1
    cells = np.repeat((bits * 255).astype(np.uint8), CELL)[None, :, None]
    image[-CELL:, : cells.shape[1]] = cells[:, : image.shape[1]]


def read_clock(image: np.ndarray) -> float | None:
    """Return the time that an image shows, in seconds modulo 2**24 ms; None if it is covered."""
    middle = image[-CELL // 2 - 1, CELL // 2 : CELL * (BITS + SUM_BITS) : CELL].mean(axis=1)
    value = int("".join("1" if level > 127 else "0" for level in middle), 2)
    clock, checked = value >> SUM_BITS, value & (2**SUM_BITS - 1)
    whole = len(middle) == BITS + SUM_BITS and _check_sum(clock) == checked
    return clock / 1000 if whole else None


def _check_sum(value: int) -> int:
    """A check sum of a clock's value, different for shifted and inverted cells."""
    return (value % 251 + 1) % 2**SUM_BITS
