"""Watches the zones and lines of one source, and makes the events of its frames.

Behind the labels and before the picture is drawn: labelled frame -> the same with events, counts,
and the zones of each garment, without the garments of ignored areas.
"""

import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from realtime.analysis.zones.areas import IGNORED, LINE, ZONE, Area
from realtime.analysis.zones.counters import IN, OUT, AreaCounter
from realtime.analysis.zones.rules import Rule
from realtime.analysis.zones.settings import ZoneSettings
from realtime.analysis.zones.subjects import Key, Seen, Side, Subject, has_crossed, seen_in
from realtime.runtime.masking import masked
from realtime.types import (
    CROSSED,
    ENTERED,
    FIRST_SEEN,
    FOUND,
    LEFT,
    MATCH,
    RULE_BROKEN,
    SOURCE_BACK,
    SOURCE_LOST,
    AreaCount,
    Event,
    Frame,
    Garment,
    LabelledFrame,
    SourceInfo,
)

LEAST_SECONDS = 0.3  # that somebody is seen before that counts
GONE_SECONDS = 2.0  # without being seen, after which somebody has left


class Watch:
    """Counts of one source's zones and lines, and its events; belongs to one thread."""

    def __init__(self, settings: ZoneSettings):
        self._settings = settings
        self._run, self._numbers = secrets.token_hex(4), itertools.count(1)
        self._source = ""
        self._areas: list[Area] = []
        self._counters: dict[str, AreaCounter] = {}
        self._subjects: dict[Key, Subject] = {}
        self._crowded: dict[str, tuple[float, bool]] = {}  # rules of numbers, as Subject.broken
        self._last: Frame | None = None

    def open(self, info: SourceInfo) -> None:
        """Begin with a source; points that are shares become pixels of its picture."""
        address = "://" in info.name
        self._source = masked(info.name) if address else Path(info.name).name
        self._areas = [area.in_pixels(info.width, info.height) for area in self._settings.areas]
        self._counters = {area.name: AreaCounter(area) for area in self._watched}

    @property
    def _watched(self) -> list[Area]:
        return [area for area in self._areas if area.kind != IGNORED]

    def __call__(self, labelled: LabelledFrame) -> LabelledFrame:
        """Return the frame with its events, counts and zones."""
        frame = self._last = labelled.frame
        seen = [one for one in seen_in(labelled.garments, anchor=self._settings.anchor)
                if not self._is_ignored(one)]  # fmt: skip
        events = [event for one in seen for event in self._follow(one, frame)]
        events += self._forget(frame)
        events += self._check_numbers(frame)
        events += self._matches(frame)
        return replace(labelled, garments=self._with_zones(labelled, seen), events=events,
                       areas=self._counts(frame.time))  # fmt: skip

    def source_changed(self, *, lost: bool, seconds: float | None, reason: str) -> Event:
        """Return the event of a source that is lost, or back after so many seconds; any thread."""
        kind, last = SOURCE_LOST if lost else SOURCE_BACK, self._last
        return Event(
            id=self._next_id(), kind=kind, frame=last.index if last else 0,
            time=round(last.time, 6) if last else 0.0, at=time.time(), source=self._source,
            seconds=seconds, detail=reason,
        )  # fmt: skip

    def _is_ignored(self, seen: Seen) -> bool:
        areas = (area for area in self._areas if area.kind == IGNORED)
        return any(area.distance(seen.anchor) > 0 for area in areas)

    def _with_zones(self, labelled: LabelledFrame, seen: list[Seen]) -> list[Garment]:
        """The garments that are not ignored, each with its zones."""
        names = [area.name for area in self._areas if area.kind == ZONE]
        zones = {garment.track: self._subjects[one.key].inside(names)
                 for one in seen for garment in one.garments}  # fmt: skip
        return [replace(garment, zones=zones[garment.track]) if zones[garment.track] else garment
                for garment in labelled.garments if garment.track in zones]  # fmt: skip

    def _follow(self, seen: Seen, frame: Frame) -> Iterator[Event]:
        now = frame.time
        subject = self._subjects.get(seen.key)
        if subject is None:
            subject = self._subjects[seen.key] = Subject(seen, now, now)
        new = subject.update(seen, now)
        if (
            not subject.announced
            and subject.observations > 1
            and now - subject.since >= (LEAST_SECONDS)
        ):
            subject.announced = True
            yield self._event(FIRST_SEEN, subject, frame)
            for area in self._watched:
                if subject.sides[area.name].inside and area.kind == ZONE:
                    yield self._went(area, subject, frame)
        for area in self._watched if new else ():
            side = subject.sides.setdefault(area.name, Side())
            way = side.observe(area, seen, now)
            if way and subject.announced and has_crossed(area, way):
                yield self._went(area, subject, frame)
        if subject.announced:
            yield from self._check_rules(subject, frame)

    def _went(self, area: Area, subject: Subject, frame: Frame) -> Event:
        """Count a subject that has changed sides, and return the event."""
        side, counter = subject.sides[area.name], self._counters[area.name]
        direction = IN if side.inside else OUT
        person = subject.seen.key[0] == "person"
        counter.went(direction, subject.garments, person=person)
        if area.kind == LINE:
            return self._event(CROSSED, subject, frame, place=area.name, direction=direction)
        if side.inside:
            side.entered = side.since
            return self._event(ENTERED, subject, frame, place=area.name)
        stay = max(0.0, side.since - side.entered)
        if person:
            counter.stayed(stay)
        for rule in self._settings.rules:
            if rule.zone == area.name:
                subject.broken.pop(rule.text, None)
        return self._event(LEFT, subject, frame, place=area.name, seconds=round(stay, 3))

    def _forget(self, frame: Frame) -> Iterator[Event]:
        """Those who are seen no more have left the zones that they were in."""
        gone = [key for key, one in self._subjects.items()
                if frame.time - one.time > GONE_SECONDS or one.time > frame.time]  # fmt: skip
        for key in gone:
            yield from self._end(self._subjects.pop(key), frame)

    def _end(self, subject: Subject, frame: Frame) -> Iterator[Event]:
        for area in self._watched if subject.announced else ():
            side = subject.sides[area.name]
            way = side.settle(subject.seen)
            if way and has_crossed(area, way):
                yield self._went(area, subject, frame)
            if side.inside and area.kind == ZONE:
                side.inside, side.since = False, subject.time
                yield self._went(area, subject, frame)

    def _check_rules(self, subject: Subject, frame: Frame) -> Iterator[Event]:
        if subject.seen.key[0] != "person":
            return
        for rule in self._settings.rules:
            side = subject.sides[rule.zone]
            if not (rule.kinds and side.inside and rule.is_broken_by(subject.garments)):
                if not (side.inside and subject.broken.get(rule.text, (0.0, False))[1]):
                    subject.broken.pop(rule.text, None)
                continue
            yield from self._broken(rule, subject.broken, subject, frame)

    def _check_numbers(self, frame: Frame) -> Iterator[Event]:
        for rule in self._settings.rules:
            if rule.most is None:
                continue
            if len(self._stays(rule.zone, frame.time)) <= rule.most:
                self._crowded.pop(rule.text, None)
                continue
            yield from self._broken(rule, self._crowded, None, frame)

    def _broken(
        self,
        rule: Rule,
        broken: dict[str, tuple[float, bool]],
        subject: Subject | None,
        frame: Frame,
    ) -> Iterator[Event]:
        """The event of a rule that is broken now, once that has lasted for its seconds.

        Args:
            broken: rules since when, see `Subject.broken`.
        """
        since, announced = broken.setdefault(rule.text, (frame.time, False))
        if not announced and frame.time - since >= rule.seconds:
            broken[rule.text] = (since, True)
            self._counters[rule.zone].broke()
            yield self._event(RULE_BROKEN, subject, frame, place=rule.zone, detail=rule.text)

    def _matches(self, frame: Frame) -> Iterator[Event]:
        """The first time that somebody wears what --find looks for."""
        for subject in self._subjects.values():
            words = [garment.attributes[FOUND] for garment in subject.seen.garments
                     if FOUND in garment.attributes]  # fmt: skip
            if words and subject.time == frame.time and not subject.matched:
                subject.matched = True
                yield self._event(MATCH, subject, frame, detail=words[0])

    def _event(
        self,
        kind: str,
        subject: Subject | None,
        frame: Frame,
        *,
        place: str = "",
        direction: str = "",
        seconds: float | None = None,
        detail: str = "",
    ) -> Event:
        key = subject.seen.key if subject else ("", 0)
        x1, y1, x2, y2 = subject.seen.box if subject else (0.0, 0.0, 0.0, 0.0)
        return Event(
            id=self._next_id(), kind=kind, frame=frame.index, time=round(frame.time, 6),
            at=time.time() - (time.monotonic() - frame.captured), source=self._source,
            place=place, direction=direction, person=key[1] if key[0] == "person" else None,
            garments=subject.garments if subject else (),
            box=(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)) if subject else None,
            seconds=seconds, detail=detail,
        )  # fmt: skip

    def _next_id(self) -> str:
        return f"{self._run}-{next(self._numbers):06d}"

    def _stays(self, zone: str, now: float) -> list[float]:
        """Seconds so far of the people who are in a zone."""
        sides = (one.sides.get(zone) for key, one in self._subjects.items()
                 if key[0] == "person" and one.announced)  # fmt: skip
        return [now - side.entered for side in sides if side and side.inside]

    def _counts(self, now: float) -> list[AreaCount]:
        return [
            self._counters[area.name].count(
                self._stays(area.name, now) if area.kind == ZONE else []
            )
            if area.kind != IGNORED
            else AreaCount(area.name, area.kind, area.points)
            for area in self._areas
        ]
