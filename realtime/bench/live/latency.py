"""Latency from camera to window, and to a browser on the live page.

A fake camera shows its clock, which is read from the pictures in a stand-in for the window, and
from those that the page serves.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing.errors import UsageError
from realtime.analysis.locators import Locator
from realtime.bench.speed.measure import ROOT
from realtime.library.pipeline import Analyser, Stopped, run
from realtime.runtime.stats import Stats
from realtime.sources.addresses import FAKE_SCHEME
from realtime.sources.cameras import BITS, FakeSource, read_clock
from realtime.types import LabelledFrame, Region

CLOCK_PERIOD = 2**BITS / 1000  # seconds after which the shown clock restarts
WARM_UP = 2.0  # seconds that are not counted
PAGE_FLAGS = ("--open", "--detection-interval", "live", "--locate", "yolo")
VIEWERS = 4
PATIENCE = 300.0  # seconds for the page to open
LENGTH = b"Content-Length: "


@dataclass
class ReadingWindow:
    """Stands in for the window.

    Attributes:
        seconds: after the first frame, however late that is, at which the user quits.
        first: time at which that came, None before.
        ages: for each frame the seconds since the first one, and its age by its clock in seconds.
        unread: frames whose clock was covered.
    """

    seconds: float
    first: float | None = None
    ages: list[tuple[float, float]] = field(default_factory=list)
    unread: int = 0

    def show(self, labelled: LabelledFrame, stopped: Callable[[], bool]) -> bool:
        """Record the frame's age; return False at the end."""
        now, clock = time.monotonic(), read_clock(labelled.picture)
        self.first = now if self.first is None else self.first
        if clock is None:
            self.unread += 1
        else:
            self.ages.append((now - self.first, (now - clock) % CLOCK_PERIOD))
        return now < self.first + self.seconds


class SlowedLocator:
    """A locator that takes `seconds` longer, as on a slower machine."""

    def __init__(self, locator: Locator, seconds: float):
        self.info, self.streams, self.every = locator.info, locator.streams, locator.every
        self._locator, self._seconds = locator, seconds

    def __call__(self, image: np.ndarray) -> list[Region]:
        time.sleep(self._seconds)
        return self._locator(image)

    def fresh(self) -> "SlowedLocator":
        return SlowedLocator(self._locator.fresh(), self._seconds)


@dataclass(frozen=True)
class Latency:
    """Age of the frames in the window.

    Attributes:
        median, p95: in milliseconds.
        slope: change in milliseconds a minute.
        shown: frames a second.
        unread: frames whose clock was covered.
    """

    median: float
    p95: float
    slope: float
    shown: float
    unread: int

    def __str__(self) -> str:
        return (f"median {self.median:.0f} ms, 95 % under {self.p95:.0f} ms, {self.slope:+.1f} ms "
                f"a minute, {self.shown:.1f} frames a second, {self.unread} unread")  # fmt: skip


def measure_latency(analysis: Analyser, *, rate: int, seconds: float) -> Latency:
    """Run a fake camera through an analysis, and read the clocks in the window."""
    window, stats = ReadingWindow(WARM_UP + seconds), Stats()
    source = FakeSource(f"fake://{rate}fps?name={time.monotonic()}")
    with suppress(Stopped):
        run(source, analysis, [], show=window.show, stats=stats, stopped=lambda: False,
            progress=lambda _: None)  # fmt: skip
    measured = [(shown, age) for shown, age in window.ages if shown >= WARM_UP]
    if len(measured) < 2:
        raise UsageError("the run is too short: give more --seconds")
    times, found = np.array(measured).T
    slope = np.polyfit(times / 60, 1000 * found, 1)[0]
    return Latency(
        1000 * float(np.median(found)), 1000 * float(np.percentile(found, 95)), float(slope),
        len(found) / seconds, window.unread,
    )  # fmt: skip


def measure_page(analysis: Analyser, *, rate: int, seconds: float, rounds: int) -> str:
    """First picture, latency beside that of the window, and frames a second with viewers.

    Args:
        analysis: as PAGE_FLAGS choose it.
    """
    window = measure_latency(analysis, rate=rate, seconds=seconds)
    with _serving(rate) as port:
        firsts = [asyncio.run(_first_picture(port)) for _ in range(rounds)]
        found = asyncio.run(_ages(port, seconds))
        alone, watched = [], []
        for _ in range(rounds):
            alone.append(asyncio.run(_pace(port, 0, seconds / rounds)))
            watched.append(asyncio.run(_pace(port, VIEWERS, seconds / rounds)))
    age = 1000 * float(np.median(found))
    return (
        f"first picture after {np.median(firsts):.3f} s ({min(firsts):.3f} to {max(firsts):.3f})\n"
        f"age {age:.0f} ms, of the window {window.median:.0f} ms: {age - window.median:+.0f} ms\n"
        f"frames a second with nobody {np.median(alone):.2f}, with {VIEWERS} viewers "
        f"{np.median(watched):.2f}: {np.median(np.array(watched) / alone):.3f} of it"
    )


@contextmanager
def _serving(rate: int) -> Iterator[int]:
    """The app's page of a fake camera, in a process of its own; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "run_realtime.py"), "--video", f"{FAKE_SCHEME}{rate}fps",
               "--serve", f"127.0.0.1:{port}", *PAGE_FLAGS]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if asyncio.run(_state(port))["frames"]:
                return
        except (OSError, ValueError, KeyError):
            time.sleep(0.1)
    raise UsageError(f"the page did not open within {PATIENCE:.0f} s")


async def _body(port: int, path: str) -> bytes:
    """The body of a page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
                 .encode())  # fmt: skip
    whole = await reader.read()
    writer.close()
    return whole.partition(b"\r\n\r\n")[2]


async def _state(port: int) -> dict:
    body = await _body(port, "/state")
    return json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


async def _pictures(port: int) -> AsyncIterator[bytes]:
    """The stream's JPEGs as they come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /stream HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    try:
        while True:
            line = await reader.readline()
            if line.lower().startswith(LENGTH.lower()):
                length = int(line[len(LENGTH) :])
                await reader.readline()
                yield await reader.readexactly(length)
    finally:
        writer.close()


async def _first_picture(port: int) -> float:
    """Seconds from asking for the page until its first picture is there."""
    start = time.monotonic()
    await _body(port, "/")
    async for picture in _pictures(port):
        if _decoded(picture) is not None:
            return time.monotonic() - start
    raise UsageError("the page's stream ended")


async def _ages(port: int, seconds: float) -> Sequence[float]:
    """Ages in seconds of the pictures, by the clock that each shows.

    The first picture begins the time, and one whose clock can be read ends it.

    Raises:
        UsageError: there is none.
    """
    start: float | None = None
    found: list[float] = []
    async for picture in _pictures(port):
        now, image = time.monotonic(), _decoded(picture)
        start = now if start is None else start
        clock = None if image is None else read_clock(image)
        if clock is not None and now > start + WARM_UP:
            found.append((now - clock) % CLOCK_PERIOD)
        if now > start + (WARM_UP + seconds if found else PATIENCE):
            break
    if not found:
        raise UsageError("the page's pictures show no clock: end other programs")
    return found


async def _pace(port: int, viewers: int, seconds: float) -> float:
    """Frames a second that the pipeline passes while so many viewers watch."""
    watching = [asyncio.ensure_future(_watch(port)) for _ in range(viewers)]
    await asyncio.sleep(WARM_UP)
    start, first = time.monotonic(), (await _state(port))["written"]
    await asyncio.sleep(seconds)
    passed = (await _state(port))["written"] - first
    elapsed = time.monotonic() - start
    for one in watching:
        one.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return passed / elapsed


async def _watch(port: int) -> None:
    async for _ in _pictures(port):
        pass


def _decoded(picture: bytes) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
