"""Draws zones and lines with their counts."""

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.analysis.zones.areas import IGNORED, LINE
from realtime.sinks.annotate import sprite, text_height
from realtime.types import AreaCount

COLOURS = {"zone": (230, 180, 60), "line": (60, 200, 250), "ignored": (120, 120, 120)}  # BGR
ARROW = 0.03  # of the picture's height: length of the arrow that shows which way is in


def draw_areas(picture: np.ndarray, areas: Sequence[AreaCount]) -> None:
    """Draw areas and their counts on a BGR picture (H, W, 3)."""
    text = text_height(picture)
    line = max(1, round(text / 10))
    for area in areas:
        points, colour = np.array(area.points).round().astype(np.int32), COLOURS[area.kind]
        closed = area.kind != LINE
        cv2.polylines(picture, [points], closed, colour, line, cv2.LINE_AA)
        if not closed:
            _arrow(picture, points, colour, line)
        if area.kind != IGNORED:
            _paste(picture, sprite(caption(area), text, colour), *_corner(points, text))


def caption(area: AreaCount) -> str:
    """Return the counts in a few words."""
    if area.kind == LINE:
        return f"{area.name}: {area.entered} in, {area.left} out"
    stay = f", mean stay {area.stayed / area.stays:.0f} s" if area.stays else ""
    broken = f", {area.broken} broken" if area.broken else ""
    return f"{area.name}: {area.inside} inside, {area.entered} in, {area.left} out{stay}{broken}"


def _arrow(
    picture: np.ndarray, points: np.ndarray, colour: tuple[int, int, int], line: int
) -> None:
    """An arrow from the middle of a line to its right, where "in" leads."""
    way = (points[1] - points[0]).astype(float)
    right = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1.0)
    middle = points.mean(axis=0)
    end = middle + right * max(8.0, ARROW * picture.shape[0])
    start, tip = (tuple(map(int, one.round())) for one in (middle, end))
    cv2.arrowedLine(picture, start, tip, colour, line, cv2.LINE_AA, tipLength=0.4)


def _corner(points: np.ndarray, text: int) -> tuple[int, int]:
    """Left and top of the caption: inside a zone's highest corner, or beside a line's."""
    x, y = points[points[:, 1].argmin()]
    return int(x) + text // 4, int(y) + text // 4


def _paste(picture: np.ndarray, label: np.ndarray, x: int, y: int) -> None:
    """Draw a label, moved into the picture."""
    height, width = (min(a, b) for a, b in zip(label.shape, picture.shape[:2], strict=False))
    x = int(np.clip(x, 0, picture.shape[1] - width))
    y = int(np.clip(y, 0, picture.shape[0] - height))
    picture[y : y + height, x : x + width] = label[:height, :width]
