"""`--on-event COMMAND`: a program that is run for each event, with its JSON on stdin."""

import json
import logging
import os
import shlex
import subprocess

from realtime.runtime.worker import WriteBehind
from realtime.sinks.events.json_lines import EventSink, as_json
from realtime.types import Event, SourceInfo

MOST_WAITING = 1000  # events; then the oldest is left out
LONGEST_SECONDS = 60.0  # of a program, which is then ended
logger = logging.getLogger(__name__)


class CommandHook(EventSink):
    """Runs a command for one event after the other, each once.

    Its environment holds EVENT_ID, EVENT_KIND, EVENT_PLACE, EVENT_DIRECTION and EVENT_PERSON.

    Args:
        command: words as of a shell, which runs nothing of it: `sh -c '...'` for one.
    """

    def __init__(self, command: str):
        self.target = command
        self._words = shlex.split(command)
        self._thread: WriteBehind[Event] = WriteBehind(
            self._call, size=MOST_WAITING, drop_oldest=True
        )

    def open(self, info: SourceInfo) -> None:
        self._thread.__enter__()

    def publish(self, event: Event) -> None:
        self._thread.send(event)

    def close(self, *, complete: bool) -> None:
        self._thread.end(complete=complete)
        self._thread.join()

    def _call(self, event: Event) -> None:
        values = {"ID": event.id, "KIND": event.kind, "PLACE": event.place,
                  "DIRECTION": event.direction, "PERSON": str(event.person or "")}  # fmt: skip
        environment = {**os.environ, **{f"EVENT_{name}": text for name, text in values.items()}}
        try:
            done = subprocess.run(
                self._words, input=json.dumps(as_json(event)).encode(), env=environment,
                timeout=LONGEST_SECONDS, stdout=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.warning("--on-event %s: %s", self.target, error)
            return
        if done.returncode:
            logger.warning("--on-event %s: exit status %d", self.target, done.returncode)
