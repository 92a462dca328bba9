"""Where garments are between two looks of a locator: each moves as its own pixels do.

A locator's network costs ten times as much as following a dozen points of every garment does.
"""

import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from realtime.types import Region

SIDE = 240  # pixels of the shorter side of the pictures that points are followed in
POINTS = 24  # a garment
LEAST_POINTS = 5  # found again, for a garment to be moved
WINDOW = {"winSize": (15, 15), "maxLevel": 2}
BORDER = 1e-3  # least eigenvalue of a point's surroundings: plain cloth cannot be followed


class Follower:
    """Moves regions from one frame to the next by optical flow (Lucas and Kanade 1981)."""

    def __init__(self):
        self._before: np.ndarray | None = None

    def see(self, image: np.ndarray) -> None:
        """Take a BGR frame (H, W, 3) as the one that the next is compared with."""
        self._before = _small(image)

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The last frame's regions where they are in this one; those out of sight are left out."""
        now, before = _small(image), self._before
        self._before = now
        if before is None or before.shape != now.shape or not regions:
            return list(regions)
        scale = image.shape[0] / now.shape[0]
        points = [_points(region, scale) for region in regions]
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            before, now, np.concatenate(points)[:, None], None, minEigThreshold=BORDER, **WINDOW
        )
        steps = (moved[:, 0] - np.concatenate(points)) * scale
        ends = np.cumsum([len(some) for some in points])[:-1]
        shifts = [
            _shift(step, seen.ravel() == 1)
            for step, seen in zip(np.split(steps, ends), np.split(found, ends), strict=True)
        ]
        height, width = image.shape[:2]
        placed = (
            shifted(region, shift, width=width, height=height)
            for region, shift in zip(regions, shifts, strict=True)
        )
        return [region for region in placed if region is not None]


def _small(image: np.ndarray) -> np.ndarray:
    """A frame in grey, its shorter side SIDE pixels or less."""
    scale = min(1.0, SIDE / min(image.shape[:2]))
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _points(region: Region, scale: float) -> np.ndarray:
    """Points float32 (N, 2) spread over a garment, in the small picture's pixels."""
    step = max(1, min(region.mask.shape) // POINTS)
    rows, columns = np.nonzero(region.mask[::step, ::step])
    if not len(rows):
        rows, columns = (np.array([side // 2 // step]) for side in region.mask.shape)
    chosen = np.linspace(0, len(rows) - 1, min(POINTS, len(rows))).astype(int)
    x1, y1 = region.window[:2]
    found = np.stack([step * columns[chosen] + x1, step * rows[chosen] + y1], axis=1)
    return (found / scale).astype(np.float32)


def _shift(steps: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The median step (2,) of the points that were found again, in whole pixels."""
    if seen.sum() < LEAST_POINTS:
        return np.zeros(2, int)
    return np.round(np.median(steps[seen], axis=0)).astype(int)


def shifted(region: Region, shift: np.ndarray, *, width: int, height: int) -> Region | None:
    """A region moved by whole pixels (2,), cut at the frame's border; None when out of sight."""
    if not shift.any():
        return region
    x1, y1, x2, y2 = np.array(region.window) + np.tile(shift, 2)
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if left >= right or top >= bottom:
        return None
    mask = np.ascontiguousarray(region.mask[top - y1 : bottom - y1, left - x1 : right - x1])
    box = region.box + np.tile(shift, 2).astype(np.float32)
    limits = np.float32((left, top, right, bottom))
    box = np.concatenate([np.maximum(box[:2], limits[:2]), np.minimum(box[2:], limits[2:])])
    return Region(box, mask, region.scores, region.bare)


class EveryFrame:
    """Looks at every frame; `follows` tells whether others leave some to the follower."""

    follows = False

    def due(self) -> bool:
        """Whether the locator should look at the frame that comes."""
        return True

    def looked(self, seconds: float) -> None:
        """Note that it did, and for how long."""


class EveryNth(EveryFrame):
    """Looks at every `count`th frame."""

    follows = True

    def __init__(self, count: int):
        self._count, self._since = count, count

    def due(self) -> bool:
        self._since += 1
        return self._since >= self._count

    def looked(self, seconds: float) -> None:
        self._since = 0


class HalfTheTime(EveryFrame):
    """Looks no longer than it does not, so that a slow locator never holds up a live picture."""

    follows = True

    def __init__(self):
        self._next = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def looked(self, seconds: float) -> None:
        self._next = time.monotonic() + seconds


SMOOTH = 3  # frames from one look to the next
PACES: dict[str, Callable[[], EveryFrame]] = {
    "every-frame": EveryFrame,
    "smooth": lambda: EveryNth(SMOOTH),
    "live": HalfTheTime,
}
