"""Finds people and garments by a query: the surest first, each with its reasons."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from realtime.search.query import Item, Query
from realtime.search.reader import (
    Files,
    Reader,
    conditions,
    details,
    files_of_codes,
    item_score,
    leaves_of,
    prepare_cells,
    prepare_live,
    quoted,
    stays_of,
)

if TYPE_CHECKING:
    import duckdb

LEAST = 0.3  # how sure a result has to be
LEAST_ITEM = 0.3  # and each of its garments
MOST = 50  # results
CLOSED = 2.0  # seconds, of gaps between the stays of one person that do not count
NEAR = 10.0  # seconds from a stay that fits, in which the person still wears it
SCORED = (
    "stay",
    "run",
    "person",
    "leaf",
    "part_p",
    "group_p",
    "leaf_p",
    "colour",
    "cell",
    "frames",
)
RESTRICTED = ("camera", "place", "source", "first_wall", "last_wall")
SHOWN = ("stay", "run", "person", "track", "camera", "source", "place", "first", "last",
         "first_wall", "last_wall", "frames", "name", "probability", "leaf", "part_p", "group_p",
         "leaf_p", "colour", "cell", "lightness", "green_red", "blue_yellow", "frame", "time",
         "box", "person_box", "width", "height")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A stay that fits an item.

    Attributes:
        row: its columns, those of SHOWN.
        item: its number in the query; score: how well it fits.
    """

    row: dict[str, Any]
    item: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """A person, or a garment that nobody wears, that fits a query.

    Attributes:
        sure: 0 to 1.
        spans: when the person was there, from and until in seconds of the source, in order.
        seen: its stays; reasons: for its rank, in words.
    """

    sure: float
    run: str
    person: int | None
    camera: str
    source: str
    place: str
    spans: tuple[tuple[float, float], ...]
    first_wall: datetime | None
    last_wall: datetime | None
    seen: tuple[Seen, ...]
    reasons: tuple[str, ...] = field(default=())

    @property
    def best(self) -> Seen:
        """The stay that fits best."""
        return max(self.seen, key=lambda one: one.score)


def find(reader: Reader, query: Query, *, least: float = LEAST, most: int = MOST) -> list[Result]:
    """The results of a query, the surest first.

    Args:
        least: how sure a result has to be.
        most: number of results.

    Raises:
        DataError: the index cannot be read.
    """
    leaves = reader.leaves()

    def ask(base: "duckdb.DuckDBPyConnection", files: Files) -> list[Result]:
        if not files:
            return []
        prepare_live(base, files)
        prepare_cells(base, query.items)
        groups, codes = _groups(base, files, query, leaves, least=least, most=most)
        rows = files_of_codes(files, codes)
        return _detailed(base, rows, query, leaves, groups) if groups else []

    return reader.on_files(ask, query)


Row = dict[str, Any]  # columns of SHOWN
Group = tuple[str, int | None, int | None]  # run, person, and the stay of what nobody wears


def _groups(
    base: "duckdb.DuckDBPyConnection", files: Files, query: Query, leaves: Sequence[str], *,
    least: float, most: int,
) -> tuple[dict[Group, float], set[int]]:  # fmt: skip
    """The people who wear all items with how sure that is, and codes of the files they are in.

    Of somebody in more than two files of summaries two are read: people do not stay for days.
    """
    worn = [n for n, item in enumerate(query.items) if item.worn]
    # The geometric mean, so that more garments make nobody less sure.
    mean = f"pow({' * '.join(f'max(s{n})' for n in worn)}, {1 / len(worn)})"
    absent = [f"(1 - max(s{n}))" for n in range(len(query.items)) if n not in worn]
    sure = " * ".join([mean, *absent])
    any_item = " OR ".join(f"s{n} >= {LEAST_ITEM}" for n in range(len(query.items)))
    each = " AND ".join(f"max(s{n}) >= {LEAST_ITEM}" for n in worn)
    where = " AND ".join(_prefilter(query, leaves))
    columns = (*SCORED, *RESTRICTED) if query.restricted else SCORED
    sql = f"""
        WITH scored AS (
            SELECT stay, run, person, code, {_scores(query, leaves)}
            FROM ({stays_of(files, columns)}) LEFT JOIN cells ON cell = number WHERE {where}
        )
        SELECT run, person, CASE WHEN person IS NULL THEN stay END AS alone, {sure} AS sure,
            min(code) AS one, max(code) AS other
        FROM scored WHERE {any_item} GROUP BY ALL HAVING {each} AND sure >= {least}
        ORDER BY sure DESC, run, person, alone LIMIT {most}
    """
    found = base.execute(sql).fetchall()
    groups = {(run, person, alone): sure for run, person, alone, sure, _, _ in found}
    return groups, {code for *_, one, other in found for code in (one, other) if code is not None}


def _detailed(
    base: "duckdb.DuckDBPyConnection", files: Files, query: Query, leaves: Sequence[str],
    groups: dict[Group, float],
) -> list[Result]:  # fmt: skip
    where = " AND ".join([_of_groups(groups), *conditions(query)])
    rows = details(base, files, SHOWN, where, scores=_scores(query, leaves))
    seen: dict[Group, dict[int, list[Seen]]] = defaultdict(dict)
    everything: dict[Group, list[Row]] = defaultdict(list)
    for row in rows:
        key = (row["run"], row["person"], None if row["person"] else row["stay"])
        if key in groups:
            everything[key].append(row)
            seen[key][row["stay"]] = [
                Seen(row=row, item=n, score=row[f"s{n}"])
                for n in range(len(query.items)) if row[f"s{n}"] >= LEAST_ITEM
            ]  # fmt: skip
    found = []
    for key, sure in groups.items():
        fits = [one for some in seen[key].values() for one in some]
        if worn := [one for one in fits if query.items[one.item].worn]:
            there = presence([one.row for one in worn], there=everything[key])
            found.append(_result(worn, there, sure=sure, reasons=_reasons(fits, query)))
    return found


def _of_groups(groups: Iterable[Group]) -> str:
    """SQL of the rows of groups."""
    worn: dict[str, list[str]] = defaultdict(list)
    alone = [str(stay) for _, _, stay in groups if stay is not None]
    for run, person, _ in groups:
        if person is not None:
            worn[run].append(str(person))
    either = [f"(run = {quoted(run)} AND person IN ({', '.join(people)}))"
              for run, people in worn.items()]  # fmt: skip
    if alone:
        either.append(f"stay IN ({', '.join(alone)})")
    return f"({' OR '.join(either)})"


def _prefilter(query: Query, leaves: Sequence[str]) -> list[str]:
    """SQL conditions on rows that can matter: groups of rows are skipped by their classes."""
    names = ", ".join(map(quoted, leaves_of(query.items, leaves)))
    return [f"leaf IN ({names})" if names else "false", *conditions(query)]


def _scores(query: Query, leaves: Sequence[str]) -> str:
    """SQL of the scores s0, s1, ... of the items."""
    return ", ".join(f"({item_score(item, n, leaves)})::FLOAT AS s{n}"
                     for n, item in enumerate(query.items))  # fmt: skip


def result_of(
    scored: Sequence[tuple[Row, float]], *, sure: float, reasons: Sequence[str]
) -> Result:
    """A result of rows with their scores."""
    seen = [Seen(row=row, item=0, score=score) for row, score in scored]
    return _result(seen, [row for row, _ in scored], sure=sure, reasons=reasons)


def presence(fitting: Sequence[Row], *, there: Sequence[Row]) -> list[Row]:
    """The stays of a person around those that fit: clothes are worn also while they are hidden.

    Args:
        there: all stays of the person.
    """
    return [
        row for row in there
        if any(row["first"] <= one["last"] + NEAR and row["last"] >= one["first"] - NEAR
               for one in fitting)
    ]  # fmt: skip


def _result(
    seen: Sequence[Seen], rows: Sequence[Row], *, sure: float, reasons: Sequence[str]
) -> Result:
    walls = [row for row in rows if row["first_wall"]]
    first = rows[0]
    return Result(
        sure=sure, run=first["run"], person=first["person"], camera=first["camera"],
        source=first["source"], place=first["place"],
        spans=joined([(row["first"], row["last"]) for row in rows]),
        first_wall=min((row["first_wall"] for row in walls), default=None),
        last_wall=max((row["last_wall"] for row in walls), default=None),
        seen=tuple(seen), reasons=tuple(reasons),
    )  # fmt: skip


def joined(spans: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Spans of seconds in order, those that overlap or nearly do made one."""
    found: list[tuple[float, float]] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1] + CLOSED:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return tuple(found)


def _reasons(seen: Sequence[Seen], query: Query) -> list[str]:
    """A line for each item: the stay that fits best, or that none does."""
    lines = []
    for n, item in enumerate(query.items):
        fits = [one for one in seen if one.item == n]
        if not fits:
            lines.append(f"no {item.word} seen" if not item.worn else f"{item}: none")
            continue
        best = max(fits, key=lambda one: one.score)
        lines.append(_reason(item, best))
    return lines


def _reason(item: Item, best: Seen) -> str:
    row = best.row
    colour = ""
    if row["lightness"] is not None:
        lab = " ".join(f"{row[name]:.0f}" for name in ("lightness", "green_red", "blue_yellow"))
        colour = f", {row['colour']} (L a b {lab})"
    return (f"{item}: {row['leaf']} {row['leaf_p']:.0%}{colour}, {row['frames']} frames, "
            f"{best.score:.0%}")  # fmt: skip
