"""Reads an index by DuckDB while it may be written: its files, and the scores of its rows.

A list of files can be out of date a moment later, since parts are moved to rows and rows merged;
then the query is repeated on the new list.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from preprocessing.errors import DataError, UsageError
from preprocessing.labels import CLASS_OF, GARMENT, general_names
from realtime.search.colours import families, fitting, lightness_fitting
from realtime.search.query import Item, Query
from realtime.search.schema import COLUMNS, HEAVY, LIVE, MISSING, ROWS, UNDATED, check
from realtime.search.summary import Summary, day_of, read_summaries

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
TRIES = 20  # of a query whose files were moved meanwhile
MEMORY, THREADS = "200MB", 2
IMPLIED_LEAST = 0.5  # factor of a garment whose colour is unlike the one that its word implies
# The part of what is left by the most probable class of a group, that counts for another one of it.
LEFT = {"pants": 0.8, "skirt": 0.4, "shorts": 0.3, "t-shirt": 0.6, "longsleeve": 0.5, "shirt": 0.4}
NAMED = 0.7  # how well a colour fits by its name alone, which a track has voted for
MOST_FILES = 1_000_000  # of a summary, for codes
LIGHT = tuple(name for name in COLUMNS if name not in HEAVY)
SHORT_STAY = 0.5  # frames in view, of which a stay counts half


@dataclass(frozen=True)
class Files:
    """The files of an index at one moment.

    Attributes:
        rows: files of rows that are in no summary.
        summaries: each with the numbers of those of its files that are there no more.
    """

    live: tuple[str, ...]
    rows: tuple[str, ...]
    summaries: tuple[tuple[Summary, tuple[int, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.live or self.rows or self.summaries)

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.live, *self.rows, *(str(one.path) for one, _ in self.summaries))


def list_files(index: Path, *, days: Callable[[str], bool] = lambda day: True) -> Files:
    """The files of an index, of days that are wanted.

    Live parts are listed first: what is moved to rows meanwhile is then there twice, not missing.
    """

    def listing() -> tuple[list[str], list[str]]:
        live = sorted(map(str, (index / LIVE).glob("*/part-*.parquet")))
        rows = sorted(
            str(path) for folder in (index / ROWS).glob("day=*")
            for path in folder.glob("camera=*/*.parquet") if not path.name.startswith(".")
        )  # fmt: skip
        return live, rows

    found = listing()
    while (again := listing()) != found:
        found = again
    live, rows = found
    there, summaries = set(rows), []
    covered: set[str] = set()
    for one in read_summaries(index):
        own = {str(index / name): number for name, number in one.files.items()}
        covered |= own.keys()
        if any(days(day_of(name)) for name in one.files):
            gone = tuple(number for path, number in own.items() if path not in there)
            summaries.append((one, gone))
    left = (path for path in rows if path not in covered and days(day_of(path)))
    return Files(tuple(live), tuple(left), tuple(summaries))


def connect() -> "duckdb.DuckDBPyConnection":
    """A DuckDB in memory.

    Raises:
        UsageError: duckdb is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise UsageError(MISSING.format("duckdb")) from error
    base = duckdb.connect(":memory:")
    for setting in (f"memory_limit='{MEMORY}'", f"threads={THREADS}",
                    "preserve_insertion_order=false", "enable_progress_bar=false",
                    "autoinstall_known_extensions=false"):  # fmt: skip
        base.execute(f"SET {setting}")
    return base


class Reader:
    """An open index.

    Raises:
        DataError: the folder is no index.
        UsageError: duckdb is not installed.
    """

    def __init__(self, index: Path):
        check(index)
        self._index, self._base = index, connect()

    def close(self) -> None:
        """Release the database."""
        self._base.close()

    def on_files(
        self, ask: Callable[["duckdb.DuckDBPyConnection", Files], T], query: Query | None = None
    ) -> T:
        """Ask about the files of the days of a query, again if they were moved meanwhile.

        Raises:
            DataError: they cannot be read.
        """
        import duckdb

        for attempt in range(TRIES):
            files = list_files(self._index, days=_wanted_days(query))
            try:
                return ask(self._base, files)
            except duckdb.Error as error:
                moved = not all(Path(path).exists() for path in files.paths)
                if not moved or attempt + 1 == TRIES:
                    raise DataError(f"cannot read the index {self._index} ({error}): "
                                    "`python -m realtime.search DIR --compact` completes what was "
                                    "cut off") from error  # fmt: skip
        raise AssertionError("the last attempt returns or raises")

    def leaves(self) -> tuple[str, ...]:
        """The classes in the index, with those that were taught."""

        def ask(base: "duckdb.DuckDBPyConnection", files: Files) -> tuple[str, ...]:
            if not files:
                return ()
            prepare_live(base, files)
            leaves = {leaf for one, _ in files.summaries for leaf in one.leaves}
            if sql := stays_of(replace(files, summaries=()), ("leaf",)):
                rows = base.execute(f"SELECT DISTINCT leaf FROM ({sql})").fetchall()
                leaves.update(row[0] for row in rows)
            return tuple(sorted(leaves))

        return self.on_files(ask)

    def heavy(self, stays: Sequence[int], column: str) -> dict[int, Any]:
        """The values of one of HEAVY by stay, the newest that there is."""

        def ask(base: "duckdb.DuckDBPyConnection", files: Files) -> dict[int, Any]:
            wanted = ", ".join(map(str, stays))
            rows = files_of_rows(base, files, f"stay IN ({wanted})")
            sql = (f"SELECT stay, arg_max({column}, version) FROM read_parquet(?) WHERE stay IN "
                   f"({wanted}) AND {column} IS NOT NULL GROUP BY stay")  # fmt: skip
            found: dict[int, Any] = {}
            for some in filter(None, (files.live, rows)):
                found |= dict(base.execute(sql, [list(some)]).fetchall())
            return found

        return self.on_files(ask) if stays else {}


def _wanted_days(query: Query | None) -> Callable[[str], bool]:
    """A test of days' names; a stay may begin on the day before, in another zone."""
    if query is None or not query.timed:
        return lambda day: True
    if not query.days:
        return lambda day: day != UNDATED
    near = {(day + timedelta(days=shift)).isoformat() for day in query.days for shift in (-1, 0, 1)}
    return near.__contains__


def prepare_live(base: "duckdb.DuckDBPyConnection", files: Files) -> None:
    """Make the table `live` of the newest versions of stays that may go on."""
    columns = ", ".join(LIGHT)
    if not files.live:
        base.execute("DROP TABLE IF EXISTS live")
        return
    base.execute(
        f"CREATE OR REPLACE TEMP TABLE live AS SELECT {columns} FROM read_parquet(?) "
        "QUALIFY row_number() OVER (PARTITION BY stay ORDER BY version DESC) = 1",
        [list(files.live)],
    )


def stays_of(files: Files, columns: Iterable[str]) -> str:
    """SQL of some columns of all stays; while they are moved, some are there twice.

    A further column, `code`, tells `files_of_codes` where a row of a summary comes from.
    """
    names = ", ".join(columns)
    parts = [f"SELECT {names}, NULL AS code FROM live"] if files.live else []
    if files.rows:
        parts.append(f"SELECT {names}, NULL AS code FROM {reading(files.rows)}")
    for number, (one, gone) in enumerate(files.summaries):
        there = f" WHERE file NOT IN ({', '.join(map(str, gone))})" if gone else ""
        code = f"file + {number * MOST_FILES} AS code"
        parts.append(f"SELECT {names}, {code} FROM {reading([str(one.path)])}{there}")
    return " UNION ALL ".join(parts)


def files_of_codes(files: Files, codes: Collection[int]) -> Files:
    """The files of rows that codes of `stays_of` lead to, and those that are in no summary."""
    found = list(files.rows)
    for number, (one, gone) in enumerate(files.summaries):
        index = one.path.parent.parent
        found += [
            str(index / name) for name, file in one.files.items()
            if file + number * MOST_FILES in codes and file not in gone
        ]  # fmt: skip
    return Files(files.live, tuple(found))


def reading(paths: Iterable[str]) -> str:
    """SQL of a table of the rows of files."""
    return f"read_parquet([{', '.join(map(quoted, paths))}], hive_partitioning=false)"


def files_of_rows(
    base: "duckdb.DuckDBPyConnection", files: Files, where: str
) -> tuple[str, ...]:  # fmt: skip
    """The files of rows that may hold what a condition on columns of summaries wants."""
    found = list(files.rows)
    for one, gone in files.summaries:
        numbers = base.execute(
            f"SELECT DISTINCT file FROM {reading([str(one.path)])} WHERE {where}"
        )
        wanted = {row[0] for row in numbers.fetchall()} - set(gone)
        index = one.path.parent.parent
        found += [str(index / name) for name, number in one.files.items() if number in wanted]
    return tuple(found)


def details(
    base: "duckdb.DuckDBPyConnection", rows: Files, columns: Sequence[str], where: str, *,
    scores: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of stays.

    Args:
        rows: without summaries; `prepare_live` comes first.
        scores: further columns in SQL, with those of `cells`; `prepare_cells` comes first.
    """
    if not rows:
        return []
    join = f" LEFT JOIN cells ON cell = number WHERE {where}" if scores else f" WHERE {where}"
    names = ", ".join([*columns, *filter(None, (scores,))])
    cursor = base.execute(f"SELECT {names} FROM ({stays_of(rows, columns)}) {join}")
    found = [column[0] for column in cursor.description]
    return [dict(zip(found, values, strict=True)) for values in cursor.fetchall()]


def leaves_of(items: Sequence[Item], leaves: Sequence[str]) -> list[str]:
    """The classes that may be one of the items."""
    return [leaf for leaf in leaves if any(_of_leaf(item.kind, leaf) for item in items)]


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def conditions(query: Query) -> list[str]:
    """Conditions of SQL on camera, place, source and time."""
    found = []
    for columns, names in ((("camera", "place"), query.cameras), (("place",), query.places),
                           (("source",), query.sources)):  # fmt: skip
        either = [f"contains(lower({column}), {quoted(name)})" for column in columns
                  for name in names]  # fmt: skip
        if either:
            found.append(f"({' OR '.join(either)})")
    if query.timed:
        found.append(_times(query))
    return found


def _times(query: Query) -> str:
    """SQL that a stay overlaps the times of the clock, which are local, as the rows' are UTC."""
    since, until = query.since or clock_time.min, query.until or clock_time.max
    if query.days:
        spans = []
        for day in query.days:
            begin = datetime.combine(day, since)
            end = datetime.combine(day + timedelta(days=until < since), until)
            spans.append(f"(last_wall >= {_utc(begin)} AND first_wall <= {_utc(end)})")
        return f"({' OR '.join(spans)})"
    # The zone's present shift: on days with another one, times are off by an hour.
    shift = datetime.now().astimezone().utcoffset() or timedelta()
    seconds = f"(epoch(first_wall) + {shift.total_seconds():.0f}) % 86400"
    start, stop = _seconds(since), _seconds(until)
    length = "epoch(last_wall) - epoch(first_wall)"
    if start <= stop:
        return f"({seconds} <= {stop} AND {seconds} + {length} >= {start})"
    return f"({seconds} <= {stop} OR {seconds} + {length} >= {start})"


def _seconds(time: clock_time) -> float:
    return 3600 * time.hour + 60 * time.minute + time.second + time.microsecond / 1e6


def _utc(local: datetime) -> str:
    moment = datetime.fromtimestamp(local.timestamp(), tz=None)
    shift = moment.astimezone().utcoffset() or timedelta()
    return f"TIMESTAMP '{moment - shift:%Y-%m-%d %H:%M:%S}'"


def kind_score(kind: str, leaves: Sequence[str]) -> dict[str, str]:
    """How probable a kind is by its rows' class: SQL for each class that may be of the kind."""
    return {leaf: sql for leaf in leaves if (sql := _of_leaf(kind, leaf))}


def _of_leaf(kind: str, leaf: str) -> str:
    path = (*general_names(leaf), leaf) if leaf != "other" else (leaf,)
    if kind in (leaf, CLASS_OF.get(leaf)):
        return "leaf_p"
    if kind == GARMENT:
        return "1.0" if path[0] == GARMENT else ""
    if kind in path:
        return ("1.0", "part_p", "group_p", "leaf_p")[path.index(kind)]
    above = general_names(kind) if kind != leaf else ()
    if len(path) == 4 and "top" in above:  # t-shirt for longsleeve
        return f"{LEFT.get(kind, 0)} * (group_p - leaf_p)"
    if len(path) == 3 and len(above) > 1 and path[1] == above[1]:  # pants for skirt
        return f"{LEFT.get(kind, 0)} * (part_p - leaf_p)"
    return ""


def item_score(item: Item, number: int, leaves: Sequence[str]) -> str:
    """SQL of the probability that a row is an item; its colours are columns of `cells`."""
    cases = kind_score(item.kind, leaves)
    if not cases:
        return "0.0"
    kind = " ".join(f"WHEN {quoted(leaf)} THEN {sql}" for leaf, sql in cases.items())
    score = f"CASE leaf {kind} ELSE 0.0 END"
    if item.colours:
        score += f" * {_colour_score(item, number)}"
    if item.lights:
        score += f" * coalesce(light{number}, 0)"
    return f"{score} * frames / (frames + {SHORT_STAY})"


def _colour_score(item: Item, number: int) -> str:
    names = families(item.colours)
    named = " ".join(f"WHEN {quoted(name)} THEN {fit}" for name, fit in names.items())
    fit = f"greatest(coalesce(colour{number}, 0), {NAMED} * CASE colour {named} ELSE 0 END)"
    return f"({IMPLIED_LEAST} + {1 - IMPLIED_LEAST} * {fit})" if item.implied else fit


def prepare_cells(base: "duckdb.DuckDBPyConnection", items: Sequence[Item]) -> None:
    """Make the table `cells`: how well each cell of CIELAB fits the colours of the items."""
    columns: dict[str, Any] = {}
    for number, item in enumerate(items):
        if item.colours:
            columns[f"colour{number}"] = fitting(item.colours)
        for word in item.lights[:1]:
            columns[f"light{number}"] = lightness_fitting(word)
    for name, values in _with_cells(columns):
        base.register(name, values)
    base.execute("CREATE OR REPLACE TEMP TABLE cells AS SELECT * FROM given_cells")
    base.unregister("given_cells")


def _with_cells(columns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    import numpy as np
    import pyarrow as pa

    from realtime.search.schema import cell_centres

    numbers = np.arange(len(cell_centres()), dtype=np.int16)
    yield "given_cells", pa.table({"number": numbers, **columns})
