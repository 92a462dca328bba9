"""Rows, one for each garment and frame, as JSON lines or CSV."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from realtime.sinks.text_file import TextFile
from realtime.types import LabelledFrame, SourceInfo

CORNERS = ("x1", "y1", "x2", "y2")
COLUMNS = ("frame", "time", "track", *CORNERS, "label", "probability", "held", "colour",
           "attributes")  # fmt: skip


class Row(TypedDict):
    """The values of a row.

    Attributes:
        frame, time: index, and presentation time in seconds.
        box: x1 y1 x2 y2 in pixels.
        probability: of the label, calibrated, 0 to 1.
        held: true if nothing moved, so that the row repeats the one of the frame before.
    """

    frame: int
    time: float
    track: int
    box: list[float]
    label: str
    probability: float
    held: bool
    colour: str
    attributes: dict[str, str]


def rows_of(labelled: LabelledFrame) -> Iterator[Row]:
    """Return a frame's rows, in the order of its garments."""
    for garment in labelled.garments:
        yield Row(
            frame=labelled.frame.index,
            time=round(labelled.frame.time, 6),
            track=garment.track,
            box=[round(float(side), 1) for side in garment.region.box],
            label=garment.label.name,
            probability=round(garment.label.probability, 4),
            held=garment.held,
            colour=garment.colour,
            attributes=dict(garment.attributes),
        )


def flat(row: Row) -> dict[str, object]:
    """Return a row with a column for each side of its box, in the order of COLUMNS."""
    corners = dict(zip(CORNERS, row["box"], strict=True))
    values = {**row, **corners}
    return {column: values[column] for column in COLUMNS}


class JsonlSink:
    """A JSON object a row, a line each."""

    needs_picture = False

    def __init__(self, path: Path):
        self._file = TextFile(path)

    def open(self, info: SourceInfo) -> None:
        self._file.open()

    def write(self, labelled: LabelledFrame) -> None:
        for row in rows_of(labelled):
            self._file.write(json.dumps(row) + "\n")

    def close(self, *, complete: bool) -> None:
        self._file.close()


class CsvSink:
    """A CSV line a row with COLUMNS; attributes as "name=value|name=value"."""

    needs_picture = False

    def __init__(self, path: Path):
        self._file = TextFile(path)

    def open(self, info: SourceInfo) -> None:
        self._file.open(",".join(COLUMNS) + "\r\n")

    def write(self, labelled: LabelledFrame) -> None:
        lines = csv.DictWriter(self._file, COLUMNS)
        for row in rows_of(labelled):
            attributes = "|".join(f"{name}={value}" for name, value in row["attributes"].items())
            lines.writerow(flat(row) | {"attributes": attributes})

    def close(self, *, complete: bool) -> None:
        self._file.close()
