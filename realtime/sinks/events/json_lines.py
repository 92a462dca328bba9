"""`--events FILE.jsonl`: a JSON object an event; and the base of all outputs of events."""

import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from realtime.sinks.rows import TextFile
from realtime.types import Event, LabelledFrame, SourceInfo


def as_json(event: Event) -> dict[str, Any]:
    """Return an event ready for JSON, with the time of day in UTC; what it lacks is null or ""."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    garments = [
        {"label": worn.label, "colour": worn.colour, "track": worn.track} for worn in event.garments
    ]
    return {
        "id": event.id, "event": event.kind, "source": event.source, "at": at,
        "frame": event.frame, "time": event.time, "place": event.place,
        "direction": event.direction, "person": event.person, "garments": garments,
        "box": event.box and list(event.box), "seconds": event.seconds, "detail": event.detail,
    }  # fmt: skip


class EventSink(ABC):
    """The base of outputs that take events and no pictures."""

    needs_picture = False

    @abstractmethod
    def publish(self, event: Event) -> None:
        """Take an event, on any thread, without waiting for who receives it."""

    def write(self, labelled: LabelledFrame) -> None:
        """Take a frame's events."""
        for event in labelled.events:
            self.publish(event)


class EventLog(EventSink):
    """A JSON object an event, a line each."""

    def __init__(self, path: Path):
        self.target, self._file = path, TextFile(path)

    def open(self, info: SourceInfo) -> None:
        self._file.open()

    def publish(self, event: Event) -> None:
        self._file.write(json.dumps(as_json(event)) + "\n")

    def close(self, *, complete: bool) -> None:
        self._file.close()
