"""Rows as Parquet, which can only be read once it is finished: so it is written in parts."""

import shutil
from pathlib import Path

from preprocessing.errors import SinkError, UsageError
from realtime.sinks.text import flat, rows_of
from realtime.types import LabelledFrame, SourceInfo

PART_ROWS = 20_000
PART_SECONDS = 10.0  # of the source's time, after which a part with fewer rows is finished


class ParquetSink:
    """The rows of `text.py` in a Parquet file, with a column for each side of the box.

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
        self._path, self._parts = path, path.with_name(f"{path.name}.parts")
        self._rows: list[dict[str, object]] = []
        self._count = 0  # of finished parts
        self._since: float | None = None  # time of the part's first frame; None before it
        self._schema = pyarrow.schema([
            ("frame", "int64"), ("time", "float64"), ("track", "int64"), ("x1", "float32"),
            ("y1", "float32"), ("x2", "float32"), ("y2", "float32"), ("label", "string"),
            ("probability", "float32"), ("held", "bool"), ("colour", "string"),
            ("attributes", pyarrow.map_("string", "string")),
        ])  # fmt: skip

    def open(self, info: SourceInfo) -> None:
        try:
            shutil.rmtree(self._parts, ignore_errors=True)
            self._parts.mkdir()
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
            self._parquet.write_table(table, part.with_suffix(".tmp"))
            part.with_suffix(".tmp").rename(part)
        except OSError as error:
            raise self._failed(error) from error
        self._rows, self._count = [], self._count + 1

    def close(self, *, complete: bool) -> None:
        self._finish_part()
        try:
            with self._parquet.ParquetWriter(self._path, self._schema) as writer:
                for part in sorted(self._parts.glob("part-*.parquet")):
                    writer.write_table(self._parquet.read_table(part, schema=self._schema))
        except OSError as error:
            raise self._failed(error) from error
        shutil.rmtree(self._parts)

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._path} ({error.strerror or error}); finished parts "
                         f"are in {self._parts}")  # fmt: skip
