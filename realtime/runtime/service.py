"""Notifications to the service manager that started the app: ready, alive, stopping.

The protocol of systemd's sd_notify(3): a datagram to a socket. It is spoken here: the packages for
it are not kept up (sdnotify, 2017) or need a compiler and libsystemd (systemd-python).
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from preprocessing.errors import printable

if TYPE_CHECKING:
    from realtime.runtime.stats import Stats

SOCKET, WATCHDOG, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
STATUS_SECONDS = 10.0  # between notifications where no watchdog waits for them
SEND_SECONDS = 1.0  # for a manager that is busy
logger = logging.getLogger(__name__)


class Service:
    """Notifies the manager; without one it does nothing.

    The watchdog is fed by `watch`, only after a new sign of life: whoever hangs is restarted.

    Args:
        environment: of the process.
    """

    def __init__(self, environment: Mapping[str, str]):
        place = environment.get(SOCKET, "")
        self._place = f"\0{place[1:]}" if place.startswith("@") else place  # an abstract name
        self._pause = _pause(environment)
        self._ready = self._stopping = False
        self._alive = self._told = self._due = 0.0  # time.monotonic()

    def alive(self) -> None:
        """Record a sign of life: a frame, or another attempt to reach a lost camera."""
        self._alive = time.monotonic()

    def ready(self) -> None:
        """Notify that the service works, the first time."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def watch(self, status: Callable[[], str]) -> None:
        """Notify what goes on and feed the watchdog, twice in its time limit; called often.

        Args:
            status: one line for people.
        """
        now = time.monotonic()
        if now < self._due or self._alive <= self._told or not self._ready or self._stopping:
            return
        self._told, self._due = now, now + self._pause
        self._send(f"STATUS={printable(status())}\nWATCHDOG=1")

    def stopping(self, reason: str = "completing the outputs") -> None:
        """Notify that the service ends, the first time."""
        if not self._stopping:
            self._stopping = True
            self._send(f"STATUS={reason}\nSTOPPING=1")

    def _send(self, text: str) -> None:
        if not self._place:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.settimeout(SEND_SECONDS)
                sending.sendto(text.encode(errors="replace"), self._place)
        except OSError as error:  # a manager that is busy or gone never ends a run
            logger.info("cannot notify %s: %s", SOCKET, error)


@cache
def service() -> Service:
    """The service that this process is."""
    return Service(os.environ)


class Watched:
    """`stopped` and `progress` of a run, which notify the service manager as well.

    Args:
        name: of the source.
    """

    def __init__(
        self,
        name: str,
        stats: "Stats",
        *,
        stopped: Callable[[], bool],
        progress: Callable[[int], None] = lambda done: None,
    ):
        self._name, self._stats = name, stats
        self._stopped, self._progress = stopped, progress

    def stopped(self) -> bool:
        """True once the run shall end."""
        if self._stopped():
            service().stopping()
            return True
        service().watch(lambda: status_of(self._name, self._stats))
        return False

    def progress(self, done: int) -> None:
        """Report that `done` frames are analysed."""
        service().alive()
        service().ready()
        self._progress(done)


def status_of(name: str, stats: "Stats") -> str:
    """A run's figures in one line."""
    return f"{name}: {stats.written} frames written, {stats.dropped} dropped, {stats.fps:.1f} fps"


def _pause(environment: Mapping[str, str]) -> float:
    """Seconds between notifications: half of the watchdog's limit, as its manual advises."""
    limit, process = environment.get(WATCHDOG, ""), environment.get(WATCHDOG_PID, "")
    if not limit.isdecimal() or process not in ("", str(os.getpid())):
        return STATUS_SECONDS
    return min(STATUS_SECONDS, int(limit) / 1e6 / 2)
