"""Sinks that write text: rows a garment as JSON lines or CSV, labels as subtitles.

All write as they go, so that a file which is cut short lacks its end and nothing else.
"""

import csv
import json
from pathlib import Path

from preprocessing.errors import SinkError
from realtime.types import Frame, Garment

COLUMNS = ("frame", "time", "track", "x1", "y1", "x2", "y2", "label", "probability", "held",
           "colour", "attributes")  # fmt: skip


def row_of(frame: Frame, garment: Garment) -> dict:
    """What the rows tell of a garment.

    The keys are frame, time (s), track, box (x1 y1 x2 y2 in pixels), label, probability, held
    (true where nothing moved, and the row is that of a frame before), colour and attributes.
    """
    return {
        "frame": frame.index,
        "time": round(frame.time, 6),
        "track": garment.track,
        "box": [round(float(side), 1) for side in garment.region.box],
        "label": garment.label.name,
        "probability": round(garment.label.probability, 4),
        "held": garment.held,
        "colour": garment.colour,
        "attributes": dict(garment.attributes),
    }


class TextSink:
    """A text file that is written line by line, and told of when that fails.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path):
        try:
            self._file = path.open("w", buffering=1, encoding="utf-8", newline="")
            self._begin()
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}") from error

    def _begin(self) -> None:
        """Write what comes before the first frame."""

    def __enter__(self) -> "TextSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Write what a frame adds.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        try:
            self._write(frame, garments)
        except OSError as error:
            raise SinkError(f"cannot write {self._file.name}: {error.strerror}") from error

    def _write(self, frame: Frame, garments: list[Garment]) -> None:
        raise NotImplementedError

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            if exc_info[:1] in ((), (None,)):  # an earlier error tells the same
                raise SinkError(f"cannot write {self._file.name}: {error.strerror}") from error


class JsonlSink(TextSink):
    """A row of JSON a garment; see `row_of`."""

    def _write(self, frame: Frame, garments: list[Garment]) -> None:
        for garment in garments:
            self._file.write(json.dumps(row_of(frame, garment)) + "\n")


class CsvSink(TextSink):
    """A row of COLUMNS a garment; attributes as "name=value|name=value"."""

    def _begin(self) -> None:
        self._rows = csv.DictWriter(self._file, COLUMNS)
        self._rows.writeheader()

    def _write(self, frame: Frame, garments: list[Garment]) -> None:
        for garment in garments:
            row = row_of(frame, garment)
            row |= dict(zip(("x1", "y1", "x2", "y2"), row.pop("box"), strict=True))
            row["attributes"] = "|".join(f"{k}={v}" for k, v in row["attributes"].items())
            self._rows.writerow(row)


class SubtitleSink(TextSink):
    """The labels in view as subtitles, SubRip (.srt) or WebVTT (.vtt); a cue as long as they stay.

    A cue is written when its labels change: of a file that is cut short, only the last one lacks.
    """

    def __init__(self, path: Path):
        self._comma = "," if path.suffix.lower() == ".srt" else "."
        super().__init__(path)
        self._count, self._labels, self._since = 0, "", 0.0
        self._last = self._step = 0.0

    def _begin(self) -> None:
        if self._comma == ".":
            self._file.write("WEBVTT\n\n")

    def _write(self, frame: Frame, garments: list[Garment]) -> None:
        known = sorted({f"{g.colour} {g.label.name}".strip() for g in garments if g.label.known})
        labels, time = ", ".join(known), frame.time
        self._step = time - self._last or self._step
        if labels != self._labels:
            self._cue(time)
            self._labels, self._since = labels, time
        self._last = time

    def _cue(self, until: float) -> None:
        if self._labels and until > self._since:
            self._count += 1
            times = f"{self._clock(self._since)} --> {self._clock(until)}"
            self._file.write(f"{self._count}\n{times}\n{self._labels}\n\n")

    def _clock(self, seconds: float) -> str:
        whole = round(1000 * max(seconds, 0.0))
        minutes, milliseconds = divmod(whole, 60_000)
        return (f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{self._comma}"
                f"{milliseconds % 1000:03d}")  # fmt: skip

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._cue(self._last + self._step)
        except OSError as error:
            raise SinkError(f"cannot write {self._file.name}: {error.strerror}") from error
        finally:
            super().__exit__(*exc_info)
