"""Motion gate: skips static frames, so that nothing is analysed twice, and detects scene cuts."""

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.types import Region

ROWS = 24  # blocks over a frame's shorter side
SKIP = 4  # only every fourth row of pixels is read: enough, and a quarter of the work
# Grey levels by which a block's mean may differ: above what is left of a camera's noise in the mean
# of a hundred pixels, below an edge that moves by one.
STATIC = 3
CHANGED = 12  # grey levels by which a block's mean differs if something moved in it
ELSEWHERE = 0.01  # of the frame, that changes beside known garments if there is something new
# Mean difference of the blocks of two consecutive frames from which they show different scenes:
# real clips of hands and people stay below 12, scene cuts are above 45.
SCENE_CUT = 25


class MotionGate:
    """Compares frames with the last one that moved, so that slow drifts add up to motion.

    Attributes:
        scene_cut: True if the last frame showed another scene than the one before it.
    """

    def __init__(self) -> None:
        self.scene_cut = False
        self._reference: np.ndarray | None = None  # blocks of the last frame that moved
        self._last: np.ndarray | None = None
        self._marked: np.ndarray | None = None  # blocks of the frame that motion is measured from
        self._sides = (1, 1)  # of the last frame: height and width in pixels

    def moved(self, image: np.ndarray) -> bool:
        """True if a BGR image (H, W, 3) differs from the last one that did."""
        blocks, reference, last = _blocks(image), self._reference, self._last
        self._last, self._sides = blocks, image.shape[:2]
        if reference is None or last is None or blocks.shape != reference.shape:
            self.scene_cut, self._reference = False, blocks
            return True
        self.scene_cut = cv2.norm(blocks, last, cv2.NORM_L1) > SCENE_CUT * blocks.size
        if cv2.norm(blocks, reference, cv2.NORM_INF) <= STATIC:
            return False
        self._reference = blocks
        return True

    def mark(self) -> None:
        """Measure motion from the last frame on."""
        self._marked = self._last

    def motion_in(self, regions: Sequence[Region] | None) -> float:
        """Fraction of a garment's or its wearer's box that has changed since the mark, at most.

        It is 1 if something moves beside them, and where there is none or they are not known.
        """
        last, marked = self._last, self._marked
        if last is None or marked is None or last.shape != marked.shape or not regions:
            return 1.0
        changed = cv2.absdiff(last, marked).max(axis=2) > CHANGED
        elsewhere, most = changed.copy(), 0.0
        scale = np.array(changed.shape[1::-1]) / self._sides[::-1]
        for region in regions:
            box = region.wearer.box if region.wearer else region.box
            x1, y1 = np.floor(np.clip(box[:2] * scale, 0, None)).astype(int)
            x2, y2 = np.ceil(box[2:] * scale).astype(int)
            most = max(most, float(changed[y1:y2, x1:x2].mean()))
            elsewhere[y1:y2, x1:x2] = False
        return 1.0 if elsewhere.mean() > ELSEWHERE else most


def _blocks(image: np.ndarray) -> np.ndarray:
    """Mean colours uint8 (rows, columns, 3) of square blocks; a rest at the border is left out."""
    step = max(1, min(image.shape[:2]) // ROWS)
    every = SKIP if step >= SKIP else 1
    step -= step % every
    height, width = (side // step for side in image.shape[:2])
    inner = image[: height * step : every, : width * step]
    return cv2.resize(inner, (width, height), interpolation=cv2.INTER_AREA)
