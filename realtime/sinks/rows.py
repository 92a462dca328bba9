"""Rows of garments: as JSON lines, CSV or Parquet.

Text is written line by line, so that a file which is cut short lacks only its end. A Parquet file
can only be read once it is finished, so it is written in parts that are joined at the end.
"""

import csv
import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import TypedDict, cast

from preprocessing.errors import ClosedPipeError, SinkError, UsageError
from realtime.runtime.standard_output import open_output
from realtime.types import LabelledFrame, SourceInfo

CORNERS = ("x1", "y1", "x2", "y2")
COLUMNS = ("frame", "time", "track", "person", *CORNERS, "label", "probability", "path", "held",
           "colour", "attributes", "zones")  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # of spreadsheets: with which they begin


class Row(TypedDict):
    """The values of a row.

    Attributes:
        frame, time: index, and presentation time in seconds.
        person: number of who wears the garment; None if nobody does.
        box: x1 y1 x2 y2 in pixels.
        probability: of the label, calibrated, 0 to 1; of the most probable class if it is unknown.
        path: names from the most general one to the most probable class, with probabilities.
        held: true if nothing moved, so that the row repeats the one of the frame before.
        zones: names of those that the wearer is in, or the garment if nobody wears it.
    """

    frame: int
    time: float
    track: int
    person: int | None
    box: list[float]
    label: str
    probability: float
    path: list[tuple[str, float]]
    held: bool
    colour: str
    attributes: dict[str, str]
    zones: list[str]


def rows_of(labelled: LabelledFrame) -> Iterator[Row]:
    """Return a frame's rows, in the order of its garments."""
    for garment in labelled.garments:
        yield Row(
            frame=labelled.frame.index,
            time=round(labelled.frame.time, 6),
            track=garment.track,
            person=garment.person or None,
            box=[round(float(side), 1) for side in garment.region.box],
            label=garment.label.name,
            probability=round(garment.label.probability, 4),
            path=[(name, round(probability, 4)) for name, probability in garment.label.path],
            held=garment.held,
            colour=garment.colour,
            attributes=dict(garment.attributes),
            zones=list(garment.zones),
        )


def flat(row: Row) -> dict[str, object]:
    """Return a row with a column for each side of its box, in the order of COLUMNS.

    Its path becomes a text such as "garment 0.99 > dress 0.93", its zones "floor|door".
    """
    corners = dict(zip(CORNERS, row["box"], strict=True))
    path = " > ".join(f"{name} {probability:.2f}" for name, probability in row["path"])
    values = {**row, **corners, "path": path, "zones": "|".join(row["zones"])}
    return {column: values[column] for column in COLUMNS}


def csv_row(row: Row) -> dict[str, object]:
    """Return a row for a CSV file: flat, safe, its attributes as "name=value|name=value"."""
    attributes = "|".join(f"{name}={value}" for name, value in row["attributes"].items())
    return safe_cells({**flat(row), "attributes": attributes})


def safe_cells(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row whose texts are no formulas to a spreadsheet: those begin with an apostrophe."""
    return {name: _safe(value) for name, value in row.items()}


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class TextFile:
    """A text file that takes strings once it is open; every line reaches the disk at once.

    A line that a full disk cuts off is completed once there is space again.
    """

    def __init__(self, path: Path):
        self._path = path
        self._file: RawIOBase | None = None
        self._rest = b""

    def open(self, head: str = "") -> None:
        """Create or empty the file, and write its first lines.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            self._file = cast(RawIOBase, open_output(self._path, "wb", buffering=0))
        except OSError as error:
            raise self._failed(error) from error
        try:
            self.write(head)
        except SinkError:
            self._file.close()
            raise

    def write(self, text: str) -> int:
        """Append text; return its length, as csv writers expect of a file.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        line = text.encode()
        self._put(self._rest + line, line=len(line))
        return len(text)

    def _put(self, data: bytes, *, line: int) -> None:
        assert self._file is not None, "open() comes first"
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            # A line of which nothing is there yet is left out as a whole.
            self._rest = bytes(rest if len(rest) < line else rest[: len(rest) - line])
            raise self._failed(error) from error
        self._rest = b""

    def close(self) -> None:
        """Close the file.

        Raises:
            SinkError: its last lines cannot be written.
        """
        if self._file is None:
            return
        try:
            self._put(self._rest, line=0)
        finally:
            self._file.close()

    def _failed(self, error: OSError) -> SinkError:
        if error.errno == errno.EPIPE:
            return ClosedPipeError(f"the reader of {self._path} took no more")
        return SinkError(f"cannot write {self._path}: {error.strerror}")


class JsonlSink:
    """A JSON object a row, a line each."""

    needs_picture = False

    def __init__(self, path: Path):
        self.target, self._file = path, TextFile(path)

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
        self.target, self._file = path, TextFile(path)

    def open(self, info: SourceInfo) -> None:
        self._file.open(",".join(COLUMNS) + "\r\n")

    def write(self, labelled: LabelledFrame) -> None:
        lines = csv.DictWriter(self._file, COLUMNS)
        for row in rows_of(labelled):
            lines.writerow(csv_row(row))

    def close(self, *, complete: bool) -> None:
        self._file.close()


PART_ROWS = 20_000
PART_SECONDS = 10.0  # of the source's time, after which a part with fewer rows is finished


class ParquetSink:
    """A Parquet file of the rows, with a column for each side of the box.

    During the run, finished parts lie in FILE.parts/, which every reader takes as one data set; at
    the end they become FILE. A killed run loses its last seconds.

    Raises:
        UsageError: pyarrow is not installed.
    """

    needs_picture = False

    def __init__(self, path: Path):
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise UsageError("--parquet needs pyarrow: pip install pyarrow") from error
        self._arrow, self._parquet = pyarrow, pyarrow.parquet
        self.target = self._path = path
        self._parts = path.with_name(f"{path.name}.parts")
        self._rows: list[dict[str, object]] = []
        self._count = 0  # of finished parts
        self._since: float | None = None  # time of the part's first frame; None before it
        self._schema = pyarrow.schema([
            ("frame", "int64"), ("time", "float64"), ("track", "int64"), ("person", "int64"),
            ("x1", "float32"), ("y1", "float32"), ("x2", "float32"), ("y2", "float32"),
            ("label", "string"), ("probability", "float32"), ("path", "string"),
            ("held", "bool"), ("colour", "string"),
            ("attributes", pyarrow.map_("string", "string")), ("zones", "string"),
        ])  # fmt: skip

    def open(self, info: SourceInfo) -> None:
        try:
            self._parts.mkdir()  # never emptied: a killed run may have left its rows there
        except OSError as error:
            raise self._failed(error) from error

    def write(self, labelled: LabelledFrame) -> None:
        for row in rows_of(labelled):
            self._rows.append(flat(row) | {"attributes": list(row["attributes"].items())})
        now = labelled.frame.time
        since = now if self._since is None else self._since
        if len(self._rows) >= PART_ROWS or now - since >= PART_SECONDS:
            self._finish_part()
            since = now
        self._since = since

    def _finish_part(self) -> None:
        if not self._rows:
            return
        table = self._arrow.Table.from_pylist(self._rows, schema=self._schema)
        part = self._parts / f"part-{self._count:06d}.parquet"
        try:
            with part.with_suffix(".tmp").open("wb") as file:  # pyarrow takes a:b for an address
                self._parquet.write_table(table, file)
            part.with_suffix(".tmp").rename(part)
        except OSError as error:
            raise self._failed(error) from error
        self._rows, self._count = [], self._count + 1

    def close(self, *, complete: bool) -> None:
        self._finish_part()
        try:
            with (
                self._path.open("wb") as file,
                self._parquet.ParquetWriter(file, self._schema) as writer,
            ):
                for part in sorted(self._parts.glob("part-*.parquet")):
                    with part.open("rb") as rows:
                        writer.write_table(self._parquet.read_table(rows, schema=self._schema))
        except OSError as error:
            raise self._failed(error) from error
        shutil.rmtree(self._parts)

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._path} ({error.strerror or error}); finished parts "
                         f"are in {self._parts}")  # fmt: skip
