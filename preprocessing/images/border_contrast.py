"""Tells garments from the ground by colour: what differs from the frame's border.

Part of segmentation.py's table of methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
RING = 0.04  # width of the border ring that shows the ground, as a share of the shorter side
RING_SAMPLES = 500
COLOURS = 5  # that the ring is summed up in
REACH = 0.06  # how far beyond its places on the ring a colour speaks, of the shorter side
WIDESPREAD = 0.25  # share of the ring from which a colour speaks for all between its places
ALIKE = 12.0  # CIELAB units under which two colours of the ring are shades of one ground
MIN_PLACES = 5  # samples of a colour on one side, below which it is a stray
STRAY = 0.03  # share of a colour's places, at either end, that do not widen its part
FAR = 1e3  # distance of a pixel that no colour of the ring speaks for
# 8-bit lightness to CIELAB units, at two thirds, since shadows only darken.
LIGHTNESS = np.float32(0.67 * 100 / 255)
MIN_SPREAD = 4.0  # CIELAB units; noise and shading of the plainest ground
WEAK, STRONG = 2.5, 4.5  # spreads away from the ground, for the two thresholds
RENEWAL = 5  # frames after which the ring is looked at again


@dataclass(frozen=True, eq=False)
class GroundColour:
    """A colour of the border ring, in scaled CIELAB, and the part of the image it speaks for.

    That part is the rectangle around the colour's places on the ring, of all sides if it is
    widespread, else of one: a wall speaks for the whole image, a chair in a corner only for that
    corner, and a garment cut off by the border does not erase itself.
    """

    lab: np.ndarray
    spread: float
    rows: slice
    columns: slice


class BorderContrast:
    """Foreground mask of what differs in colour from the frame's border.

    The border ring is summed up in a few colours; each pixel is held against the nearest of them
    that speaks for its place, in units of that colour's own spread, so that a textured ground asks
    for more difference than a plain one. Two thresholds: what differs a little counts where it
    touches what differs a lot. In a video the colours are kept for a few frames.
    """

    def __init__(self) -> None:
        self._ground: list[GroundColour] = []
        self._calls, self._shape = 0, (0, 0)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W), 255 on the foreground, of a BGR image (H, W, 3)."""
        lab = cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2LAB)
        planes = [plane.astype(np.float32) for plane in cv2.split(lab)]
        planes[0] *= LIGHTNESS
        if self._calls % RENEWAL == 0 or planes[0].shape != self._shape:
            self._ground, self._shape = ground_colours(planes), planes[0].shape
        self._calls += 1
        return _hysteresis(_distance(planes, self._ground))


def _distance(planes: Sequence[np.ndarray], ground: list[GroundColour]) -> np.ndarray:
    """Each pixel's distance float32 (H, W) from the ground, in spreads."""
    distance = np.full(planes[0].shape, FAR, np.float32)
    for colour in ground:
        lightness, *others = (
            plane[colour.rows, colour.columns] - value
            for plane, value in zip(planes, colour.lab, strict=True)
        )
        away = cv2.magnitude(lightness, others[0])
        away = cv2.magnitude(away, others[1])
        nearest = distance[colour.rows, colour.columns]
        np.minimum(nearest, away / colour.spread, out=nearest)
    return distance


def _hysteresis(distance: np.ndarray) -> np.ndarray:
    """uint8 (H, W), 255 on every weakly distant part that holds a strongly distant pixel."""
    # Opened before it is labelled: a joint of a floor must not tie garments to each other.
    weak = cv2.morphologyEx((distance > WEAK).astype(np.uint8), cv2.MORPH_OPEN, KERNEL)
    _, labels = cv2.connectedComponents(weak, connectivity=4)
    kept = np.zeros(labels.max() + 1, np.uint8)
    kept[labels[distance > STRONG]] = 255
    kept[0] = 0  # the label of what is not even weakly distant
    return kept[labels]


def ground_colours(planes: Sequence[np.ndarray]) -> list[GroundColour]:
    """The main colours of the border ring of an image in scaled CIELAB, three float32 (H, W)."""
    height, width = planes[0].shape
    places, sides = _ring_places(height, width)
    sample = np.stack([plane[places[:, 0], places[:, 1]] for plane in planes], axis=1)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 1.0)
    cv2.setRNGSeed(0)
    _, nearest, centres = cv2.kmeans(sample, COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    colours = []
    for index, centre in enumerate(centres):
        members = sample[nearest[:, 0] == index]
        if not len(members):
            continue
        deviation = float(np.sqrt(((members - centre) ** 2).sum(axis=1).mean()))
        # Shades of one ground, as in a gradient, stand for each other.
        alike = np.linalg.norm(centres - centre, axis=1) < ALIKE
        colours += [
            GroundColour(centre, max(deviation, MIN_SPREAD), *part)
            for part in _parts(alike[nearest[:, 0]], places, sides, shape=(height, width))
        ]
    return colours


def _parts(
    member: np.ndarray, places: np.ndarray, sides: np.ndarray, *, shape: tuple[int, int]
) -> list[tuple[slice, slice]]:
    """Rows and columns for which a colour speaks that is seen where `member` (N,) is true."""
    widespread = member.mean() >= WIDESPREAD
    groups = [member] if widespread else [member & (sides == side) for side in range(4)]
    grow = round(REACH * min(shape))
    parts = []
    for group in groups:
        if group.sum() >= MIN_PLACES:
            # Without the outermost, so that single stray pixels do not widen it.
            ordered = np.sort(places[group], axis=0)
            stray = round(STRAY * (len(ordered) - 1))
            low, high = ordered[stray], ordered[-1 - stray]
            top, left = np.maximum(low - grow, 0)
            bottom, right = high + grow + 1
            parts.append((slice(top, bottom), slice(left, right)))
    return parts


@lru_cache(maxsize=8)
def _ring_places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spread places (N, 2), y and x, along an image's border, and their sides (N,), 0..3."""
    ring = max(2, round(RING * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[ring:-ring, ring:-ring] = True
    places = np.argwhere(~inside)
    places = places[:: max(1, len(places) // RING_SAMPLES)]
    y, x = places.T
    return places, np.stack([y, height - 1 - y, x, width - 1 - x]).argmin(axis=0)
