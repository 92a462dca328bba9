"""Files of the index: parts appended while a run goes on, rows that change no more, merging.

Nothing is seen half-written: files are synchronised to the disk under another name, then renamed.
What is moved is there twice before it is there once, so readers take each stay once.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from preprocessing.errors import SinkError
from realtime.search.schema import COLUMNS, HEAVY, LIVE, ROWS, Stay, begin, partition, schema
from realtime.search.summary import summarise

LOCK, MERGE_LOCK = ".lock", ".merge.lock"
UNFINISHED = ".new"
ROLL_UP = 100  # parts of a run, from which those of its stays that ended become rows
REPEATED = ["run", "camera", "source", "place", "name", "leaf", "colour"]  # columns of few values
MERGED = 24  # files of a day and camera, from which they become one
FULL = 256_000_000  # bytes from which a file is merged no more
GROUP = 4096  # rows whose columns lie together; their crops fit into memory
BUSY_SECONDS = 30.0  # until somebody else's merging is waited for no more


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that is whole and on the disk once it has its name.

    Raises:
        SinkError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            pq.write_table(table, file, row_group_size=GROUP, compression="zstd",
                           use_dictionary=REPEATED)  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise SinkError(f"cannot write the index {path} ({error.strerror or error}): rows that "
                        "were written before are kept") from error  # fmt: skip


def _sync_folder(folder: Path) -> None:
    """Let a renaming reach the disk, where folders can be opened for that."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def table_of(stays: Iterable[Stay]) -> pa.Table:
    """Stays as rows."""
    return pa.Table.from_pylist([asdict(stay) for stay in stays], schema=schema())


def read_files(paths: Iterable[Path]) -> pa.Table:
    """All rows of some files."""
    tables = []
    for path in paths:
        with path.open("rb") as file:  # pyarrow takes a:b for an address
            tables.append(pq.read_table(file, schema=schema()))
    return pa.concat_tables(tables) if tables else schema().empty_table()


def newest(table: pa.Table) -> pa.Table:
    """The newest version of each stay, with the last of the columns that a version may lack."""
    if not table.num_rows:
        return table
    stays, versions = (table[name].to_numpy() for name in ("stay", "version"))
    order = np.lexsort((versions, stays))
    table, stays = table.take(pa.array(order)), stays[order]
    last = np.append(np.flatnonzero(np.diff(stays)), len(stays) - 1)
    first = np.insert(last[:-1] + 1, 0, 0)
    found = table.take(pa.array(last))
    for name in HEAVY:
        given = np.asarray(table[name].is_valid())
        place = np.maximum.accumulate(np.where(given, np.arange(len(given)), -1))[last]
        column = table[name].take(pa.array(place, pa.int64(), mask=place < first))
        found = found.set_column(COLUMNS.index(name), name, column)
    return found


class RunWriter:
    """Appends the stays of one run to an index.

    Attributes:
        run: a name that no other run has.
    """

    def __init__(self, index: Path, run: str):
        self._index, self.run = index, run
        self._folder = index / LIVE / run
        self._lock = FileLock(self._folder / LOCK)
        self._parts: list[Path] = []
        self._count = self._moved = 0  # of parts, and of files of rows, so far

    def open(self) -> None:
        """Begin the run, and complete those that were killed.

        Raises:
            SinkError, DataError: see `schema.begin`.
        """
        begin(self._index)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except OSError as error:
            raise SinkError(f"cannot write the index {self._index}: {error.strerror}") from error
        recover(self._index)

    def append(self, stays: Sequence[Stay]) -> None:
        """Write versions of stays as one part.

        Raises:
            SinkError: they cannot be written.
        """
        if stays:
            self._append(table_of(stays))
        if len(self._parts) >= ROLL_UP:
            self._roll_up()

    def _append(self, table: pa.Table) -> None:
        part = self._folder / f"part-{self._count:08d}.parquet"
        write_table(part, table)
        self._parts.append(part)
        self._count += 1

    def _roll_up(self) -> None:
        """Make rows of the stays that ended, and one part of the others."""
        old, table = self._parts, newest(read_files(self._parts))
        ended = ~np.asarray(table["open"])
        folders = _write_rows(self._index, table.filter(pa.array(ended)),
                              name=f"{self.run}-{self._moved}")  # fmt: skip
        self._moved, self._parts = self._moved + 1, []
        if not ended.all():
            self._append(table.filter(pa.array(~ended)))
        _remove(old)
        with merging(self._index, wait=False) as free:
            for folder in folders if free else ():
                merge_partition(folder)

    def close(self) -> None:
        """Complete the run, all of whose stays have ended.

        Raises:
            SinkError: its last rows cannot be written.
        """
        try:
            if self._parts:
                self._roll_up()
        finally:
            self._lock.release()
        if not self._parts:
            _remove_folder(self._folder)


def _write_rows(index: Path, table: pa.Table, *, name: str) -> list[Path]:
    """Write rows that change no more, by day and camera; the folders that they are in."""
    stays = {(row["first_wall"], row["camera"]) for row in
             table.select(["first_wall", "camera"]).to_pylist()}  # fmt: skip
    folders = []
    keys = [_key(*pair) for pair in zip(table["first_wall"].to_pylist(),
                                        table["camera"].to_pylist(), strict=True)]  # fmt: skip
    for day, camera in sorted({_key(*pair) for pair in stays}):
        folder = partition(index, day=day, camera=camera)
        chosen = pa.array([key == (day, camera) for key in keys])
        write_table(folder / f"{name}.parquet", _sorted(table.filter(chosen)))
        folders.append(folder)
    return folders


def _key(first_wall: object, camera: str) -> tuple[str, str]:
    stay = Stay(stay=0, run="", camera=camera, source="", place="", first=0, last=0,
                first_wall=first_wall)  # type: ignore[arg-type]  # fmt: skip
    return stay.day, camera


def _sorted(table: pa.Table) -> pa.Table:
    """Rows by class, so that a search reads few groups of them, then by time."""
    return table.sort_by([("leaf", "ascending"), ("first", "ascending")])


def recover(index: Path) -> int:
    """Make rows of the parts of runs that were killed; the number of these runs."""
    count = 0
    for folder in sorted((index / LIVE).glob("*")):
        lock = FileLock(folder / LOCK)
        if not (folder / LOCK).exists():
            continue  # it begins
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue  # it goes on
        try:
            parts = sorted(folder.glob("part-*.parquet"))
            table = newest(read_files(parts))
            ended = table.set_column(COLUMNS.index("open"), "open",
                                     pa.array([False] * table.num_rows))  # fmt: skip
            _write_rows(index, ended, name=f"{folder.name}-killed")
            _remove(parts)
            count += 1
        finally:
            lock.release()
        _remove_folder(folder)
    return count


@contextmanager
def merging(index: Path, *, wait: bool) -> Iterator[bool]:
    """The right to merge files, which one process has at a time: True if it was got.

    Args:
        wait: for somebody else's merging.

    Raises:
        SinkError: somebody else's takes too long.
    """
    lock = FileLock(index / MERGE_LOCK)
    try:
        lock.acquire(timeout=BUSY_SECONDS if wait else 0)
    except Timeout:
        if wait:
            raise SinkError(f"another process merges {index}: try again later") from None
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def merge_partition(folder: Path, *, least: int = MERGED) -> int:
    """Make one file of those of a day and camera; how many there were, 0 for too few.

    Args:
        least: number of files for which it is worth it.

    Raises:
        SinkError: the file cannot be written; the others are kept.
    """
    small = [path for path in sorted(folder.glob("*.parquet")) if path.stat().st_size < FULL]
    if len(small) < least:
        return 0
    table = _sorted(newest(read_files(small)))
    write_table(folder / f"merged-{time.time_ns():x}.parquet", table)
    _remove(small)
    return len(small)


def compact(index: Path, *, keep_days: float | None = None) -> tuple[int, int, int]:
    """Complete killed runs, merge all small files, and remove old days.

    Args:
        keep_days: days that are kept; None for all. Footage without a date is kept.

    Returns:
        Numbers of killed runs, of files that were merged, and of days and cameras removed.

    Raises:
        SinkError: something cannot be written, or somebody else merges.
    """
    with merging(index, wait=True):
        runs, removed = recover(index), 0
        if keep_days is not None:
            removed = _forget(index, date.today() - timedelta(days=keep_days))
        folders = sorted((index / ROWS).glob("day=*/camera=*"))
        merged = sum(merge_partition(folder, least=2) for folder in folders)
        summarise(index)
    return runs, merged, removed


def _forget(index: Path, oldest: date) -> int:
    """Remove the days before one."""
    count = 0
    for day in sorted((index / ROWS).glob("day=????-??-??")):
        if day.name.removeprefix("day=") >= oldest.isoformat():
            continue
        for folder in sorted(day.glob("camera=*")):
            _remove(sorted(folder.iterdir()))
            _remove_folder(folder)
            count += 1
        _remove_folder(day)
    return count


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # Windows keeps files that somebody reads: the next merging
            path.unlink()


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()
