"""Tells a still scene from a moving one, so that nothing is analysed twice, and where one ends."""

import cv2
import numpy as np

ROWS = 24  # blocks over a frame's shorter side
SKIP = 4  # only every fourth row of pixels is read: enough, and a quarter of the work
# Grey levels by which a block's mean may differ: above what is left of a camera's noise in the mean
# of a hundred pixels, below an edge that moves by one.
STILL = 3
# Mean difference of the blocks of two frames in a row from which they show different scenes: real
# clips of hands and people stay under 12, cuts are above 45.
CUT = 25


class MotionGate:
    """Compares frames with the last one that moved, so that slow drifts add up to motion.

    `cut` is true where the last frame showed another scene than the one before it.
    """

    def __init__(self):
        self.cut = False
        self._reference: np.ndarray | None = None
        self._last: np.ndarray | None = None

    def moved(self, image: np.ndarray) -> bool:
        """Whether a BGR image (H, W, 3) differs from the last one of which this was said."""
        blocks, reference = _blocks(image), self._reference
        comparable = reference is not None and blocks.shape == reference.shape
        self.cut = comparable and cv2.norm(blocks, self._last, cv2.NORM_L1) > CUT * blocks.size
        self._last = blocks
        if comparable and cv2.norm(blocks, reference, cv2.NORM_INF) <= STILL:
            return False
        self._reference = blocks
        return True


def _blocks(image: np.ndarray) -> np.ndarray:
    """Mean colours uint8 (rows, columns, 3) of square blocks, without a rest at the border."""
    step = max(1, min(image.shape[:2]) // ROWS)
    every = SKIP if step >= SKIP else 1
    step -= step % every
    height, width = (side // step for side in image.shape[:2])
    inner = image[: height * step : every, : width * step]
    return cv2.resize(inner, (width, height), interpolation=cv2.INTER_AREA)
