"""Delivers spooled events in order on a thread of its own, again and again until they are taken."""

import json
import logging
import time
from abc import abstractmethod
from pathlib import Path

from realtime.runtime.masking import masked
from realtime.runtime.worker import Background
from realtime.sinks.events.json_lines import EventSink, as_json
from realtime.sinks.events.spool import Spool
from realtime.types import Event, SourceInfo

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between two attempts
POLL_SECONDS = 0.05
FLUSH_SECONDS = 5.0  # for what waits at the end, as long as it is taken
STOP_SECONDS = 2.0  # for an attempt that is under way then
logger = logging.getLogger(__name__)


class DeliveryError(Exception):
    """An event was not taken.

    Attributes:
        for_good: True if it never will be, so that others may go on.
        pause: seconds until the next attempt that the receiver asks for; None for the usual ones.
    """

    def __init__(self, reason: str, *, for_good: bool = False, pause: float | None = None):
        super().__init__(reason)
        self.for_good, self.pause = for_good, pause


class Outbox(EventSink):
    """The base of receivers over a network: each event is delivered at least once, in order.

    Args:
        place: URL of the receiver.
        spool: folder of all spools; None for that of the user's state.
    """

    def __init__(self, place: str, *, spool: Path | None = None):
        self.target = masked(place)
        self._spool = Spool(place, folder=spool)
        self._work = Background(self._run, name="events")
        self._failing = ""

    @abstractmethod
    def deliver(self, name: str, content: bytes) -> None:
        """Deliver an event, by its id and JSON; it may have been delivered before.

        Raises:
            DeliveryError: it was not taken.
        """

    def open(self, info: SourceInfo) -> None:
        self._spool.open()
        if len(self._spool):
            logger.warning("%s: %d events of an earlier run are sent first",
                           self.target, len(self._spool))  # fmt: skip
        self._work.start()

    def publish(self, event: Event) -> None:
        self._spool.add(event.id, json.dumps(as_json(event)).encode())

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._work.stopped():
            one = self._spool.first()
            if one is None:
                time.sleep(POLL_SECONDS)
                continue
            try:
                self.deliver(*one)
            except DeliveryError as error:
                if error.for_good:
                    logger.warning("%s refuses event %s: %s", self.target, one[0], error)
                    self._spool.delivered()
                    continue
                self._note(str(error))
                self._wait(pause if error.pause is None else min(error.pause, LONGEST_PAUSE))
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            self._spool.delivered()
            self._note("")
            pause = FIRST_PAUSE

    def _note(self, reason: str) -> None:
        """Log when deliveries begin to fail, and when they succeed again."""
        if reason and not self._failing:
            logger.warning("%s: %s; events wait in %s and are tried again", self.target, reason,
                           self._spool.folder)  # fmt: skip
        elif self._failing and not reason:
            logger.warning("%s takes events again", self.target)
        self._failing = reason

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._work.stopped():
            time.sleep(POLL_SECONDS)

    def close(self, *, complete: bool) -> None:
        until = time.monotonic() + FLUSH_SECONDS
        while len(self._spool) and not self._failing and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        self._work.stop(longest=STOP_SECONDS)
        if len(self._spool):
            logger.warning("%s: %d events wait in %s for the next run that sends there",
                           self.target, len(self._spool), self._spool.folder)  # fmt: skip
        self._spool.close()
