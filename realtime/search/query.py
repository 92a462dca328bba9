"""A query in words, read: garments with colours, those not worn, times, cameras, and the rest.

red hoodie, blue jeans without a hat between 10:00 and 11:30 camera door
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time

from preprocessing.errors import UsageError
from preprocessing.labels import GARMENT
from realtime.search import colours
from realtime.search.words import (
    EXACT,
    FILLERS,
    IMPLIED,
    JOINS,
    KINDS,
    NEGATIONS,
    PATTERNS,
)

WORD = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}(?::\d{2})?|[\w'/.-]+|[,;+&]")
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
PLACES = {"camera": "camera", "cam": "camera", "source": "source", "file": "source",
          "place": "place"}  # fmt: skip
LONGEST = 3  # words of a kind's name
EXAMPLE = '"red hoodie, blue jeans without a hat between 10:00 and 11:30 camera door"'


@dataclass(frozen=True)
class Item:
    """A garment that is worn, or is not.

    Attributes:
        kind: name in the tree of names, or one that was taught; word: as it was asked for.
        colours: names of `colours`, of which one has to fit; none for any colour.
        implied: the colours were not asked for, but come with the word: jeans are blue mostly.
        lights: words such as "dark".
        worn: False if it must not be.
    """

    kind: str = GARMENT
    word: str = ""
    colours: tuple[str, ...] = ()
    implied: bool = False
    lights: tuple[str, ...] = ()
    worn: bool = True

    def __str__(self) -> str:
        words = [*self.lights, *(() if self.implied else self.colours), self.word or "garment"]
        return ("" if self.worn else "without ") + " ".join(words)


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question to an index.

    Attributes:
        since, until: of the clock on any day; days: that count, all if none.
        cameras, places, sources: parts of their names, of which one has to be in it.
        unknown: words that were not understood, each with what may be meant.
        notes: what was understood in a wider sense.
    """

    items: tuple[Item, ...] = ()
    since: clock_time | None = None
    until: clock_time | None = None
    days: tuple[date, ...] = ()
    cameras: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def worn(self) -> tuple[Item, ...]:
        """The garments that have to be worn."""
        return tuple(item for item in self.items if item.worn)

    @property
    def timed(self) -> bool:
        """True if it asks for times of the clock."""
        return bool(self.since or self.until or self.days)

    @property
    def restricted(self) -> bool:
        """True if it asks for times, cameras, places or sources."""
        return self.timed or bool(self.cameras or self.places or self.sources)

    def __str__(self) -> str:
        return ", ".join(map(str, self.items))


@dataclass
class _Reading:
    """The words so far."""

    words: Sequence[str]
    taught: frozenset[str]
    at: int = 0
    items: list[Item] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    lights: list[str] = field(default_factory=list)
    worn: bool = True
    clock: dict[str, clock_time] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    named: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def peek(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""


def read_query(text: str, *, taught: Iterable[str] = ()) -> Query:
    """Read a query.

    Args:
        taught: further names of garments in the index.

    Raises:
        UsageError: nothing of it was understood.
    """
    reading = _Reading(WORD.findall(text.lower()), frozenset(name.lower() for name in taught))
    while reading.at < len(reading.words):
        _read_next(reading)
    _finish_item(reading)
    query = Query(
        items=tuple(reading.items), since=reading.clock.get("since"),
        until=reading.clock.get("until"), days=tuple(reading.days),
        cameras=tuple(reading.named.get("camera", ())),
        places=tuple(reading.named.get("place", ())),
        sources=tuple(reading.named.get("source", ())), unknown=tuple(reading.unknown),
        notes=tuple(dict.fromkeys(reading.notes)),
    )  # fmt: skip
    if not query.worn and (query.items or query.restricted):
        query = replace(query, items=(Item(), *query.items))
    if not query.worn:
        said = f": not understood: {', '.join(query.unknown)}" if query.unknown else ""
        raise UsageError(f"no garment in the query {text!r}{said}: wanted words such as {EXAMPLE}")
    return query


def _read_next(reading: _Reading) -> None:
    """Read what begins with the next word."""
    word = reading.peek()
    if _read_time(reading) or _read_place(reading) or _read_kind(reading):
        return
    reading.at += 1
    if word in colours.WORDS:
        reading.colours.append(word)
    elif word in colours.LIGHT_WORDS:
        reading.lights.append(word)
    elif word in NEGATIONS:
        _finish_item(reading)
        reading.worn = False
    elif word in JOINS or word in ",;+&":
        _join(reading, word)
    elif word in ("or", "/") and reading.colours:
        pass  # red or blue: both are colours of the item that follows
    elif word == "coloured" or word in FILLERS:
        pass
    elif word in PATTERNS:
        reading.unknown.append(f"{word} (patterns are not in the index)")
    else:
        reading.unknown.append(word + _meant(word))


def _join(reading: _Reading, word: str) -> None:
    """End an item at a comma; "white and navy top" goes on, "red and blue" after nothing too."""
    following = reading.peek()
    if word == "and" and reading.colours and following in colours.WORDS:
        return
    _finish_item(reading)
    if word in (",", ";"):
        reading.worn = True


def _read_kind(reading: _Reading) -> bool:
    """Read a kind of up to LONGEST words; True if there was one."""
    for length in range(LONGEST, 0, -1):
        words = reading.words[reading.at : reading.at + length]
        name = " ".join(words)
        kind = _kind(name, reading.taught) if len(words) == length else None
        if kind is None:
            continue
        reading.at += length
        _read_colours_behind(reading, kind)
        _add_item(reading, name, kind)
        return True
    return False


def _read_colours_behind(reading: _Reading, kind: str) -> None:
    """Read "dress in red", "something light blue"."""
    known = (*colours.WORDS, *colours.LIGHT_WORDS)
    ahead = 1 if reading.peek() == "in" else 0
    if reading.peek(ahead) not in known or not (ahead or kind == GARMENT):
        return
    reading.at += ahead
    while (word := reading.peek()) in known:
        (reading.colours if word in colours.WORDS else reading.lights).append(word)
        reading.at += 1


def _kind(name: str, taught: frozenset[str]) -> str | None:
    if name in taught:
        return name
    for form in (name, name.replace("-", " "), *_singular(name)):
        if form in KINDS:
            return KINDS[form]
    return None


def _singular(name: str) -> tuple[str, ...]:
    """A plural without its ending; "dresses", "blouses" and "scarves" as well."""
    forms = []
    if name.endswith("s"):
        forms += [name[:-1], name[:-2] if name.endswith("es") else name]
    return tuple(form.replace("-", " ") if form not in KINDS else form for form in forms)


def _add_item(reading: _Reading, word: str, kind: str) -> None:
    asked = tuple(reading.colours)
    implied = not asked and word in IMPLIED and reading.worn
    reading.items.append(Item(
        kind, word, IMPLIED[word] if implied else asked, implied, tuple(reading.lights),
        reading.worn,
    ))  # fmt: skip
    if word not in EXACT and word != kind and word not in reading.taught:
        reading.notes.append(f"{word} is searched as {kind}")
    reading.colours, reading.lights = [], []


def _finish_item(reading: _Reading) -> None:
    """Colours without a kind are those of any garment."""
    if reading.colours or reading.lights:
        _add_item(reading, "garment", GARMENT)
    reading.colours, reading.lights = [], []
    reading.worn = True


def _read_place(reading: _Reading) -> bool:
    column = PLACES.get(reading.peek())
    if column is None or not reading.peek(1) or reading.peek(1) in ",;":
        return False
    reading.named.setdefault(column, []).append(reading.peek(1))
    reading.at += 2
    return True


def _read_time(reading: _Reading) -> bool:
    """Read "between 10:00 and 11:30", "after 10:00", "on 2026-05-03", "yesterday"."""
    word, following = reading.peek(), reading.peek(1)
    if word in ("between", "from") and CLOCK.fullmatch(following):
        second = reading.peek(3)
        if reading.peek(2) in ("and", "to", "until", "till", "-") and CLOCK.fullmatch(second):
            reading.clock |= {"since": _clock(following), "until": _clock(second)}
            reading.at += 4
            return True
        reading.clock["since"] = _clock(following)
    elif word in ("after", "since") and CLOCK.fullmatch(following):
        reading.clock["since"] = _clock(following)
    elif word in ("before", "until", "till") and CLOCK.fullmatch(following):
        reading.clock["until"] = _clock(following)
    elif word in ("today", "yesterday"):
        reading.days.append(datetime.now().date() - timedelta(days=word == "yesterday"))
        reading.at += 1
        return True
    elif word == "on" and DAY.fullmatch(following):
        reading.days.append(_day(following))
    else:
        return False
    reading.at += 2
    return True


def _clock(text: str) -> clock_time:
    try:
        hour, minute, second = map(int, f"{text}:0".split(":")[:3])
        return clock_time(hour, minute, second)
    except ValueError as error:
        raise UsageError(f"no time of the day: {text} ({error})") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"no day: {text} ({error})") from error


def _meant(word: str) -> str:
    near = difflib.get_close_matches(word, (*KINDS, *colours.WORDS), n=1, cutoff=0.75)
    return f" (did you mean {near[0]}?)" if near else ""
