"""Optical flow: moves regions along with their pixels between two detections.

Tracking a dozen points of every garment costs a tenth of a locator's network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.types import Region

SIDE = 96  # pixels of the shorter side of the frames that points are tracked in
POINTS = 12  # of a garment, at most
MIN_POINTS = 4  # found again, for a garment to be moved
MIN_EIGENVALUE = 1e-3  # of a point's surroundings: plain cloth cannot be tracked
WINDOW, PYRAMID_LEVELS = (9, 9), 1


@dataclass(frozen=True, eq=False)
class _Tracked:
    """A region at the last detection, and its points float32 (N, 2) in small frames since then."""

    region: Region
    first: np.ndarray
    now: np.ndarray

    @property
    def step(self) -> np.ndarray:
        """The median motion (2,) of the points since the detection."""
        return np.sort(self.now - self.first, axis=0)[len(self.now) // 2]


@dataclass(frozen=True, eq=False)
class SmallFrame:
    """A frame as points are tracked in it: grey uint8 (h, w), and the frame's own size."""

    grey: np.ndarray
    width: int
    height: int

    @classmethod
    def of(cls, image: np.ndarray) -> "SmallFrame":
        """A BGR frame (H, W, 3), its shorter side SIDE pixels or less."""
        height, width = image.shape[:2]
        scale = min(1.0, SIDE / min(height, width))
        # Averages two pixels a side: a third of the time of averaging all, and tracked as well.
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        return cls(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), width, height)

    @property
    def scale(self) -> float:
        """Pixels of the frame for one of the small frame."""
        return self.height / self.grey.shape[0]


class OpticalFlow:
    """Moves regions from frame to frame by sparse optical flow (Lucas and Kanade 1981).

    Motion adds up from the last detection, so that a slow drift is not rounded away.

    Args:
        start: a frame whose regions were just detected; None to `restart` later.
    """

    def __init__(self, start: SmallFrame | None = None) -> None:
        self._last = start
        self._tracked: list[_Tracked] | None = None  # None until the frame after a detection

    def restart(self, image: np.ndarray) -> None:
        """Start from a BGR frame (H, W, 3) whose regions were just detected."""
        self._last, self._tracked = SmallFrame.of(image), None

    def __call__(self, image: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The last frame's regions moved to this one; those that left the frame are dropped."""
        moved = self.moved(SmallFrame.of(image), regions)
        return [region for region in moved if region is not None]

    def moved(self, frame: SmallFrame, regions: Sequence[Region]) -> list[Region | None]:
        """The same in the order of the regions, None for those that left the frame."""
        last, self._last = self._last, frame
        if last is None or last.grey.shape != frame.grey.shape or not regions:
            self._tracked = None
            return list(regions)
        scale, width, height = frame.scale, frame.width, frame.height
        if self._tracked is None:
            starts = [_points(region, scale) for region in regions]
            self._tracked = list(map(_Tracked, regions, starts, starts))
        tracked = _tracked_on(self._tracked, last.grey, frame.grey)
        moved = [
            shifted(one.region, np.rint(one.step * scale), width=width, height=height)
            for one in tracked
        ]
        pairs = zip(tracked, moved, strict=True)
        self._tracked = [one for one, region in pairs if region is not None]
        return moved


def _tracked_on(tracked: list[_Tracked], last: np.ndarray, frame: np.ndarray) -> list[_Tracked]:
    """The garments with their points in the next frame, where enough of them are found."""
    points = np.concatenate([one.now for one in tracked])
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        last, frame, points[:, None], np.empty_like(points[:, None]), winSize=WINDOW,
        maxLevel=PYRAMID_LEVELS, minEigThreshold=MIN_EIGENVALUE,
    )  # fmt: skip
    ends = np.cumsum([len(one.now) for one in tracked])[:-1]
    places, seen = np.split(found[:, 0], ends), np.split(status.ravel() == 1, ends)
    return [
        replace(one, first=one.first[kept], now=now[kept]) if kept.sum() >= MIN_POINTS else one
        for one, now, kept in zip(tracked, places, seen, strict=True)
    ]


def _points(region: Region, scale: float) -> np.ndarray:
    """Points float32 (N, 2) spread over a garment, in pixels of the small frame."""
    step = max(1, min(region.mask.shape) // POINTS)
    rows, columns = np.nonzero(region.mask[::step, ::step])
    if not len(rows):
        rows, columns = (np.array([side // 2 // step]) for side in region.mask.shape)
    chosen = np.linspace(0, len(rows) - 1, min(POINTS, len(rows))).astype(int)
    x1, y1 = region.window[:2]
    found = np.stack([step * columns[chosen] + x1, step * rows[chosen] + y1], axis=1)
    return (found / scale).astype(np.float32)


def shifted(region: Region, shift: np.ndarray, *, width: int, height: int) -> Region | None:
    """A region moved by whole pixels (2,) and clipped to the frame; None if nothing is left."""
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
    box = region.box + np.array((right, down, right, down), np.float32)
    limits = np.array((left, top, end, bottom), np.float32)
    box = np.concatenate([np.maximum(box[:2], limits[:2]), np.minimum(box[2:], limits[2:])])
    return replace(region, box=box, mask=mask)
