"""The rows as Parquet, which is only readable once it is finished: so they are kept in parts."""

import shutil
from pathlib import Path

from preprocessing.errors import SinkError, UsageError
from realtime.sinks.rows import row_of
from realtime.types import Frame, Garment

ROWS = 20_000  # of a part
SECONDS = 10.0  # of the source's time after which a part is finished anyway


class ParquetSink:
    """Rows of `row_of` in a Parquet file, its boxes as x1 y1 x2 y2.

    While it runs, whole parts lie in FILE.parts/, which every reader takes as one data set; at the
    end they become FILE. What a killed run leaves lacks its last seconds.

    Raises:
        UsageError: pyarrow is not installed.
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path):
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise UsageError("--parquet needs pyarrow: pip install pyarrow") from error
        self._arrow, self._parquet = pyarrow, pyarrow.parquet
        self._path, self._parts = path, path.with_name(f"{path.name}.parts")
        self._rows: list[dict] = []
        self._count, self._since = 0, None
        self._schema = pyarrow.schema([
            ("frame", "int64"), ("time", "float64"), ("track", "int64"), ("x1", "float32"),
            ("y1", "float32"), ("x2", "float32"), ("y2", "float32"), ("label", "string"),
            ("probability", "float32"), ("held", "bool"), ("colour", "string"),
            ("attributes", pyarrow.map_("string", "string")),
        ])  # fmt: skip
        try:
            shutil.rmtree(self._parts, ignore_errors=True)
            self._parts.mkdir()
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> "ParquetSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Take a frame's rows; now and then a part is finished.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        for garment in garments:
            row = row_of(frame, garment)
            row |= dict(zip(("x1", "y1", "x2", "y2"), row.pop("box"), strict=True))
            row["attributes"] = list(row["attributes"].items())
            self._rows.append(row)
        self._since = frame.time if self._since is None else self._since
        if len(self._rows) >= ROWS or frame.time - self._since >= SECONDS:
            self._finish_part()
            self._since = frame.time

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

    def __exit__(self, *exc_info: object) -> None:
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
