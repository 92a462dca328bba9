"""Zones, lines and ignored areas, as flags name them and in the pixels of a picture.

Imports nothing heavy, so that --help answers at once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

ZONE, LINE, IGNORED = "zone", "line", "ignored"
SHAPE = "NAME=x1,y1,x2,y2,... in pixels, or in shares of the picture from 0 to 1"
LEAST_POINTS = {ZONE: 3, LINE: 2, IGNORED: 3}
Point = tuple[float, float]


@dataclass(frozen=True)
class Area:
    """A polygon, or a line between two points.

    Attributes:
        kind: ZONE, LINE or IGNORED.
        points: x, y of each; all from 0 to 1 for shares of the picture, else pixels.
    """

    name: str
    kind: str
    points: tuple[Point, ...]

    def in_pixels(self, width: int, height: int) -> "Area":
        """Return the area in the pixels of a picture of this size."""
        if max(map(max, self.points)) > 1:
            return self
        return replace(self, points=tuple((x * width, y * height) for x, y in self.points))

    def distance(self, point: Point) -> float:
        """Return pixels to the border, positive inside; of a line, to the right of its direction.

        The line goes on beyond its ends; "right" is as one sees it in the picture.
        """
        if self.kind != LINE:
            away = min(_distance_to(edge, point) for edge in _edges(self.points))
            return away if _is_inside(self.points, point) else -away
        (ax, ay), (bx, by) = self.points
        length = math.hypot(bx - ax, by - ay)
        return ((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)) / length

    def is_crossed(self, since: Point, until: Point) -> bool:
        """Return True if the straight way between two points leads through a line's segment."""
        before, after = self.distance(since), self.distance(until)
        if before == after or before * after > 0:
            return False
        share = before / (before - after)
        (ax, ay), (bx, by) = self.points
        x, y = (a + share * (b - a) for a, b in zip(since, until, strict=True))
        along = (x - ax) * (bx - ax) + (y - ay) * (by - ay)
        return 0 <= along <= (bx - ax) ** 2 + (by - ay) ** 2


def read_zone(text: str) -> Area:
    """Return the zone of NAME=x1,y1,x2,y2,x3,y3,...; raises as `read_area`."""
    return read_area(text, ZONE)


def read_line(text: str) -> Area:
    """Return the line of NAME=x1,y1,x2,y2; raises as `read_area`."""
    return read_area(text, LINE)


def read_ignored(text: str) -> Area:
    """Return the ignored area of [NAME=]x1,y1,x2,y2,x3,y3,...; raises as `read_area`."""
    return read_area(text if "=" in text else f"ignored={text}", IGNORED)


def read_area(text: str, kind: str) -> Area:
    """Return the area that a flag describes.

    Two points of a zone are the corners of a rectangle.

    Raises:
        ValueError: it has no name, or no such points.
    """
    name, _, numbers = text.partition("=")
    values = [float(number) for number in numbers.split(",")]
    if (
        not name.strip()
        or len(values) % 2
        or min(values) < 0
        or not all(map(math.isfinite, values))
    ):
        raise ValueError(f"wanted {SHAPE}")
    points = list(zip(values[::2], values[1::2], strict=True))
    if kind != LINE and len(points) == 2:
        (left, top), (right, bottom) = points
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if kind == LINE and (len(points) != 2 or points[0] == points[1]):
        raise ValueError("wanted two different points of a line")
    if len(points) < LEAST_POINTS[kind] or (kind != LINE and _surface(points) == 0):
        raise ValueError("wanted the corners of an area")
    return Area(name.strip(), kind, tuple(points))


def _edges(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """The sides of a polygon."""
    return zip(points, (*points[1:], points[0]), strict=True)


def _surface(points: Sequence[Point]) -> float:
    """The area that a polygon without crossings encloses (shoelace formula)."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in _edges(points))) / 2


def _is_inside(points: Sequence[Point], point: Point) -> bool:
    """True if a ray from the point to the right leaves the polygon (even-odd rule)."""
    x, y = point
    crossings = (
        x < ax + (y - ay) * (bx - ax) / (by - ay)
        for (ax, ay), (bx, by) in _edges(points)
        if (ay > y) != (by > y)
    )
    return sum(crossings) % 2 == 1


def _distance_to(edge: tuple[Point, Point], point: Point) -> float:
    """Pixels from a point to a side."""
    (ax, ay), (bx, by) = edge
    length = (bx - ax) ** 2 + (by - ay) ** 2
    share = ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / length if length else 0
    share = min(1.0, max(0.0, share))
    return math.hypot(point[0] - ax - share * (bx - ax), point[1] - ay - share * (by - ay))
