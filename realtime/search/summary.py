"""Summaries: the columns of many files of rows that a search reads first, in few large files.

They are made by merging, and hold nothing of their own: what is not in one is read from the rows.

    summary/NAME.parquet             COLUMNS, the file of each row among those in its metadata
    summary/NAME.embeddings.npy      float16 (N, D), in the same order
    summary/NAME.sketches.npy        uint64 (N, 4), bits of the signs of random projections
    summary/NAME.crowding.npy        float32 (N,); not a number where there is no embedding
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.errors import SinkError
from realtime.search.schema import UNDATED

SUMMARY = "summary"
COLUMNS = ("stay", "run", "person", "leaf", "part_p", "group_p", "leaf_p", "colour", "cell",
           "frames", "camera", "place", "source", "first_wall", "last_wall")  # fmt: skip
FILES, LEAVES = b"files", b"leaves"  # of the metadata
ROWS = 400_000  # of a summary at most
GROUP = 65_536  # of its rows lie together
FEW = 8  # summaries that are not full, from which they are made anew as one
DIMENSIONS, BITS = 160, 256  # of an embedding, and of its sketch
SEED = 29  # of the projections


@dataclass(frozen=True)
class Summary:
    """A summary at one moment.

    Attributes:
        files: numbers by the path of a file of rows, relative to the index.
        leaves: classes of its rows.
        count: of its rows.
    """

    path: Path
    files: Mapping[str, int]
    leaves: tuple[str, ...]
    count: int

    def beside(self, name: str) -> Path:
        """The file of "embeddings", "sketches" or "crowding"."""
        return self.path.with_name(f"{self.path.stem}.{name}.npy")


@cache
def _read(path: Path, changed: int) -> Summary:
    metadata = pq.read_metadata(path)
    names = json.loads(metadata.metadata[FILES])
    leaves = tuple(json.loads(metadata.metadata[LEAVES]))
    return Summary(path, {name: n for n, name in enumerate(names)}, leaves, metadata.num_rows)


def read_summaries(index: Path) -> list[Summary]:
    """The summaries of an index."""
    found = []
    for path in sorted((index / SUMMARY).glob("*.parquet")):
        if not path.name.startswith("."):
            found.append(_read(path, path.stat().st_mtime_ns))
    return found


@cache
def _projections() -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(DIMENSIONS, BITS)).astype(np.float32)


def sketches(embeddings: np.ndarray) -> np.ndarray:
    """Bits uint64 (N, BITS / 64) of embeddings (N, DIMENSIONS): similar ones differ in few."""
    signs = embeddings.astype(np.float32) @ _projections() > 0
    return np.packbits(signs, axis=1).view(np.uint64)


def summarise(index: Path) -> int:
    """Bring the summaries up to date; the number of files that were summarised.

    Raises:
        SinkError: one cannot be written.
    """
    there = {path.relative_to(index).as_posix(): path for path in _row_files(index)}
    known = read_summaries(index)
    outdated = [one for one in known if not set(one.files) <= set(there)]
    small = [one for one in known if one.count < ROWS / 2 and one not in outdated]
    if len(small) >= FEW:
        outdated += small
    covered = {name for one in known if one not in outdated for name in one.files}
    new = [name for name in there if name not in covered]
    try:
        for number, names in enumerate(_chunks(there, new)):
            _write(index, names, name=f"{time.time_ns():x}-{number}")
    except OSError as error:
        raise SinkError(f"cannot write into {index / SUMMARY}: {error.strerror}") from error
    for one in outdated:
        for path in (one.path, *map(one.beside, ("embeddings", "sketches", "crowding"))):
            path.unlink(missing_ok=True)
    return len(new)


def _row_files(index: Path) -> Iterator[Path]:
    from realtime.search.schema import ROWS as FOLDER

    for path in sorted((index / FOLDER).glob("day=*/camera=*/*.parquet")):
        if not path.name.startswith("."):
            yield path


def _chunks(there: Mapping[str, Path], names: Iterable[str]) -> Iterator[list[str]]:
    """Files of together ROWS rows."""
    some: list[str] = []
    count = 0
    for name in names:
        rows = pq.read_metadata(there[name]).num_rows
        if some and count + rows > ROWS:
            yield some
            some, count = [], 0
        some, count = [*some, name], count + rows
    if some:
        yield some


def _write(index: Path, names: Sequence[str], *, name: str) -> None:
    tables = []
    for number, one in enumerate(names):
        with (index / one).open("rb") as file:
            table = pq.read_table(file, columns=[*COLUMNS, "embedding", "crowding"])
        numbers = pa.array(np.full(table.num_rows, number, np.int32))
        tables.append(table.append_column("file", numbers))
    table = pa.concat_tables(tables).sort_by([("leaf", "ascending"), ("first_wall", "ascending")])
    leaves = sorted(set(table["leaf"].to_pylist()))
    path = index / SUMMARY / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    summary = Summary(path, {}, (), 0)
    embeddings, crowding = _arrays(table)
    for part, values in (("embeddings", embeddings), ("sketches", sketches(embeddings)),
                         ("crowding", crowding)):  # fmt: skip
        with summary.beside(part).open("wb") as file:
            np.save(file, values)
    light = table.drop(["embedding", "crowding"]).replace_schema_metadata(
        {FILES: json.dumps(list(names)), LEAVES: json.dumps(leaves)}
    )
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("wb") as file:
        pq.write_table(light, file, row_group_size=GROUP, compression="lz4")
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def _arrays(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and crowding of rows; zeros, and not a number, where there are none."""
    empty = bytes(2 * DIMENSIONS)
    joined = b"".join(value.as_py() or empty for value in table["embedding"])
    crowding = table["crowding"].to_numpy(zero_copy_only=False).astype(np.float32)
    return np.frombuffer(joined, np.float16).reshape(-1, DIMENSIONS), crowding


def day_of(path: str) -> str:
    """The day of a file of rows."""
    return path.rpartition("day=")[2].partition("/")[0] or UNDATED
