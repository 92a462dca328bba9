"""Those who are counted: people, and garments that nobody wears, on a side of each area."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from realtime.analysis.zones.areas import LINE, Area, Point
from realtime.analysis.zones.settings import FEET
from realtime.types import Garment, Person, Worn

OBSERVATIONS = 2  # in a row that agree before somebody is on another side
MARGIN = 0.01  # of the subject's height, by which it is beyond a border
REMEMBERED = 2.0  # seconds for which a garment that is hidden is still worn
Key = tuple[str, int]  # "person" or "track", and the number


@dataclass(frozen=True, eq=False)
class Seen:
    """A person, or a garment that nobody wears, in one frame.

    Attributes:
        place: the object that a detection makes anew; the same one while nothing was detected.
        anchor: x, y of the point that counts, in pixels.
        box: x1 y1 x2 y2 in pixels.
    """

    key: Key
    place: object
    anchor: Point
    box: tuple[float, float, float, float]
    garments: Sequence[Garment]


@dataclass(eq=False)
class Side:
    """On which side of a line, or in or out of a zone, a subject is.

    It changes once OBSERVATIONS in a row are beyond the border by more than the box's jitter.

    Attributes:
        inside: the confirmed side; None before the first observation.
        anchor: where the subject was when it was last seen there.
        since: time in seconds at which it came there.
        entered: time at which the stay in a zone began.
    """

    inside: bool | None = None
    anchor: Point = (0.0, 0.0)
    since: float = 0.0
    entered: float = 0.0
    _doubts: int = 0
    _changed: float = 0.0

    def observe(self, area: Area, seen: Seen, time: float) -> tuple[Point, Point] | None:
        """Take an observation; return where the subject came from and is, if it changed sides."""
        distance = area.distance(seen.anchor)
        inside = distance > 0
        if self.inside is None:
            self.inside, self.anchor, self.since = inside, seen.anchor, time
            return None
        margin = MARGIN * (seen.box[3] - seen.box[1])
        if inside == self.inside:
            self._doubts, self.anchor = 0, seen.anchor
            return None
        if self._doubts == 0 and abs(distance) <= margin:
            return None
        self._changed = self._changed if self._doubts else time
        self._doubts += 1
        if self._doubts < OBSERVATIONS:
            return None
        return self._change(seen.anchor)

    def _change(self, anchor: Point) -> tuple[Point, Point]:
        before, self.anchor = self.anchor, anchor
        self.inside, self.since, self._doubts = not self.inside, self._changed, 0
        return before, anchor

    def settle(self, seen: Seen) -> tuple[Point, Point] | None:
        """Take the last observation for true, of a subject that is seen no more."""
        return self._change(seen.anchor) if self._doubts else None


@dataclass(eq=False)
class Subject:
    """Somebody, or something, that is followed.

    Attributes:
        seen: the last time, at `time` seconds.
        since: time of the first one.
        sides: by the name of the area.
        broken: rules that are broken, with the time since when; True once that was an event.
        announced: True once it counts, which short ghosts never do.
        matched: True once it wore what is looked for.
    """

    seen: Seen
    time: float
    since: float
    sides: dict[str, Side] = field(default_factory=dict)
    broken: dict[str, tuple[float, bool]] = field(default_factory=dict)
    observations: int = 0
    announced: bool = False
    matched: bool = False
    _worn: dict[int, tuple[Worn, float]] = field(default_factory=dict)

    def update(self, seen: Seen, time: float) -> bool:
        """Take a frame in which it is seen; return True if that is a new observation."""
        new = self.observations == 0 or seen.place is not self.seen.place
        self.seen, self.time = seen, time
        self.observations += new
        for garment in seen.garments:
            if garment.label.known:
                worn = Worn(garment.label.name, garment.colour, garment.track)
                self._worn[garment.track] = (worn, time)
        return new

    @property
    def garments(self) -> tuple[Worn, ...]:
        """The garments that it wears: those seen lately."""
        self._worn = {
            track: one for track, one in self._worn.items() if self.time - one[1] <= REMEMBERED
        }
        return tuple(worn for worn, _ in self._worn.values())

    def inside(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of some zones that it is in."""
        return tuple(name for name in names if name in self.sides and self.sides[name].inside)


def seen_in(garments: Iterable[Garment], *, anchor: str) -> list[Seen]:
    """Return the people of a frame by their garments, and the garments that nobody wears."""
    worn: dict[int, tuple[Person, list[Garment]]] = {}
    found = []
    for garment in garments:
        wearer = garment.region.wearer
        if wearer and wearer.number:
            worn.setdefault(wearer.number, (wearer, []))[1].append(garment)
        else:
            box = _box(garment.region.box)
            place = garment.region.box
            found.append(Seen(("track", garment.track), place, _middle(box), box, [garment]))
    for number, (person, some) in worn.items():
        box = _box(person.box)
        point = ((box[0] + box[2]) / 2, box[3]) if anchor == FEET else _middle(box)
        found.append(Seen(("person", number), person, point, box, some))
    return found


def _box(box: Iterable[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = map(float, box)
    return x1, y1, x2, y2


def _middle(box: tuple[float, float, float, float]) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def has_crossed(area: Area, way: tuple[Point, Point]) -> bool:
    """Return True if a change of sides is one through the area's border: not beside a line."""
    return area.kind != LINE or area.is_crossed(*way)
