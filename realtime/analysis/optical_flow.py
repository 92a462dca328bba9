"""Where garments are between two looks of a locator: each moves as its own pixels do.

A locator's network costs ten times as much as following a dozen points of every garment does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.types import Region

SIDE = 96  # pixels of the shorter side of the pictures that points are followed in
POINTS = 12  # a garment, at most
LEAST_POINTS = 4  # found again, for a garment to be moved
WINDOW = {"winSize": (9, 9), "maxLevel": 1}
BORDER = 1e-3  # least eigenvalue of a point's surroundings: plain cloth cannot be followed


@dataclass(frozen=True, eq=False)
class Followed:
    """A garment, and its points float32 (N, 2) in the small pictures, in the look and now."""

    region: Region
    first: np.ndarray
    now: np.ndarray


class Follower:
    """Moves regions from one frame to the next by optical flow (Lucas and Kanade 1981).

    Steps are added up since the last look, so that a slow drift is not rounded away.
    """

    def __init__(self):
        self._before: np.ndarray | None = None
        self._followed: list[Followed] | None = None  # None until the frame after a look

    def see(self, image: np.ndarray) -> None:
        """Take a BGR frame (H, W, 3), whose regions a locator found, as the one to start from."""
        self._before, self._followed = _small(image), None

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The last frame's regions where they are in this one; those out of sight are left out."""
        now, before = _small(image), self._before
        self._before = now
        if before is None or before.shape != now.shape or not regions:
            self._followed = None
            return list(regions)
        height, width = image.shape[:2]
        scale = height / now.shape[0]
        if self._followed is None:
            places = [_points(region, scale) for region in regions]
            self._followed = list(map(Followed, regions, places, places))
        points = np.concatenate([one.now for one in self._followed])
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            before, now, points[:, None], None, minEigThreshold=BORDER, **WINDOW
        )
        ends = np.cumsum([len(one.now) for one in self._followed])[:-1]
        steps = zip(np.split(moved[:, 0], ends), np.split(found.ravel() == 1, ends), strict=True)
        kept = []
        for one, (places, seen) in zip(self._followed, steps, strict=True):
            if seen.sum() >= LEAST_POINTS:
                one = replace(one, first=one.first[seen], now=places[seen])
            step = np.sort(one.now - one.first, axis=0)[len(one.now) // 2]
            placed = shifted(one.region, np.rint(step * scale), width=width, height=height)
            if placed is not None:
                kept.append((one, placed))
        self._followed = [one for one, _ in kept]
        return [placed for _, placed in kept]


def _small(image: np.ndarray) -> np.ndarray:
    """A frame in grey, its shorter side SIDE pixels or less."""
    scale = min(1.0, SIDE / min(image.shape[:2]))
    # Averages two pixels a side: a third of the time of averaging all, and followed as well.
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)


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


def shifted(region: Region, shift: np.ndarray, *, width: int, height: int) -> Region | None:
    """A region moved by whole pixels (2,), cut at the frame's border; None when out of sight."""
    right, down = map(int, shift)
    if not (right or down):
        return region
    x1, y1, x2, y2 = (
        side + step for side, step in zip(region.window, 2 * (right, down), strict=True)
    )
    left, top, end, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if left >= end or top >= bottom:
        return None
    mask = np.ascontiguousarray(region.mask[top - y1 : bottom - y1, left - x1 : end - x1])
    box = region.box + np.float32((right, down, right, down))
    limits = np.float32((left, top, end, bottom))
    box = np.concatenate([np.maximum(box[:2], limits[:2]), np.minimum(box[2:], limits[2:])])
    return replace(region, box=box, mask=mask)
