"""Foreground by colour: what differs from the colours along the image's border.

A row of segmentation.py's table of methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from preprocessing.images.clusters import kmeans

KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
RING = 0.04  # width of the border ring of background, as a fraction of the shorter side
RING_SAMPLES = 500
COLOURS = 5  # clusters of the ring's colours
REACH = 0.06  # margin around a colour's places on the ring, of the shorter side
WIDESPREAD = 0.25  # fraction of the ring from which a colour covers all sides at once
ALIKE = 12.0  # CIELAB units under which two colours of the ring are shades of one background
MIN_PLACES = 5  # samples of a colour on one side, below which it is an outlier
OUTLIERS = 0.03  # fraction of a colour's places, at either end, that do not widen its part
FAR = 1e3  # distance of a pixel that no colour of the ring covers
# 8-bit lightness to CIELAB units, at two thirds, since shadows only darken.
LIGHTNESS = np.float32(0.67 * 100 / 255)
MIN_SPREAD = 4.0  # CIELAB units; noise and shading of the plainest background
WEAK, STRONG = 2.5, 4.5  # spreads away from the background, for the two thresholds
RENEWAL = 5  # frames for which the background's colours are kept


@dataclass(frozen=True, eq=False)
class BackgroundColour:
    """A colour of the border ring and the part of the image whose background it models.

    That part is the rectangle around the colour's places on the ring, of all sides if it is
    widespread, else of one: a wall is the background of the whole image, a chair in a corner only
    that of the corner, and a garment that the border crops does not erase itself.

    Attributes:
        lab: (3,), in CIELAB with scaled lightness.
        spread: deviation of its samples, in the same units.
    """

    lab: np.ndarray
    spread: float
    rows: slice
    columns: slice


class BorderContrast:
    """Foreground mask of what differs in colour from the frame's border.

    The border ring is clustered into a few colours; each pixel is compared with the nearest of
    those that cover its place, in units of that colour's own spread, so that a textured background
    requires more difference than a plain one. Thresholding has hysteresis: weak differences count
    where they touch strong ones. In a video the colours are kept for a few frames.
    """

    def __init__(self) -> None:
        self._background: list[BackgroundColour] = []
        self._calls, self._shape = 0, (0, 0)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W), 255 on the foreground, of a BGR image (H, W, 3)."""
        lab = cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2LAB)
        planes = [plane.astype(np.float32) for plane in cv2.split(lab)]
        planes[0] *= LIGHTNESS
        height, width = planes[0].shape
        if self._calls % RENEWAL == 0 or (height, width) != self._shape:
            self._background, self._shape = background_colours(planes), (height, width)
        self._calls += 1
        return _hysteresis(_distance(planes, self._background))


def _distance(planes: Sequence[np.ndarray], background: list[BackgroundColour]) -> np.ndarray:
    """Each pixel's distance from the background, float32 (H, W), in spreads."""
    distance = np.full(planes[0].shape, FAR, np.float32)
    for colour in background:
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
    """uint8 (H, W), 255 on every weakly distant component that has a strongly distant pixel."""
    # Opened before it is labelled: a gap between floor boards must not connect two garments.
    weak = cv2.morphologyEx((distance > WEAK).astype(np.uint8), cv2.MORPH_OPEN, KERNEL)
    _, labels = cv2.connectedComponents(weak, connectivity=4)
    kept = np.zeros(labels.max() + 1, np.uint8)
    kept[labels[distance > STRONG]] = 255
    kept[0] = 0  # the label of what is not even weakly distant
    return kept[labels]


def background_colours(planes: Sequence[np.ndarray]) -> list[BackgroundColour]:
    """The main colours of the border ring of an image in scaled CIELAB, three float32 (H, W)."""
    height, width = planes[0].shape
    places, sides = _ring_places(height, width)
    sample = np.stack([plane[places[:, 0], places[:, 1]] for plane in planes], axis=1)
    nearest, centres = kmeans(sample, COLOURS, iterations=8)
    colours = []
    for index, centre in enumerate(centres):
        members = sample[nearest == index]
        if not len(members):
            continue
        deviation = float(np.sqrt(((members - centre) ** 2).sum(axis=1).mean()))
        # Shades of one background, as in a gradient, cover each other's places.
        alike = np.linalg.norm(centres - centre, axis=1) < ALIKE
        colours += [
            BackgroundColour(centre, max(deviation, MIN_SPREAD), *part)
            for part in _parts(alike[nearest], places, sides, shape=(height, width))
        ]
    return colours


def _parts(
    member: np.ndarray, places: np.ndarray, sides: np.ndarray, *, shape: tuple[int, int]
) -> list[tuple[slice, slice]]:
    """Rows and columns that a colour covers whose places on the ring are where `member` is true."""
    widespread = member.mean() >= WIDESPREAD
    groups = [member] if widespread else [member & (sides == side) for side in range(4)]
    grow = round(REACH * min(shape))
    parts = []
    for group in groups:
        if group.sum() >= MIN_PLACES:
            ordered = np.sort(places[group], axis=0)
            outliers = round(OUTLIERS * (len(ordered) - 1))
            low, high = ordered[outliers], ordered[-1 - outliers]
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
