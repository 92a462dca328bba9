"""Finds garments by colour, contours and morphology.

A row of SEGMENTERS makes a function from a BGR image to a foreground mask; `Segmenter` turns the
mask into regions. Everything works on a reduced image: shape needs no more, and it is fast.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.images.border_contrast import KERNEL, RING, BorderContrast
from preprocessing.images.regions import Region, pixel_window

MIN_SIDE = 8  # pixels; a smaller image has no garment and no background
MIN_AREA = 0.01  # fraction of the frame; smaller blobs are no garments
MAX_BORDER = 0.5  # fraction of a box's outline on the frame's border, above which it is background
GRAB_CUT_ROUNDS = 5
GREEN_HUES = (35, 85)  # OpenCV's hue ranges from 0 to 179
GREEN_SATURATION, GREEN_VALUE = 80, 40
STILL_FRAMES = 300  # history of the model of a static background
DARKEST = 16  # level below which a pixel is no evidence of a gain
MOST_GAIN = 2.0  # higher gains are other scenes
MOVING = 200  # mask value above which OpenCV's model is certain; 127 marks a shadow

ForegroundMask = Callable[[np.ndarray], np.ndarray]  # from BGR (H, W, 3) to uint8 (H, W), 0 or 255


class Segmenter:
    """Garments in the frames of one video, or in one picture.

    Args:
        method: a row of SEGMENTERS.
    """

    def __init__(self, method: str):
        self._side = SEGMENTERS[method].side
        self._foreground = SEGMENTERS[method].start()

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        small = shrink(image, self._side)
        if min(small.shape[:2]) < MIN_SIDE:
            return []
        mask = self._foreground(small)
        return regions_of(mask, width=image.shape[1], height=image.shape[0])


def segment(image: np.ndarray, method: str = "border") -> list[Region]:
    """Garments in a single BGR image (H, W, 3), largest first; see `Segmenter`."""
    return Segmenter(method)(image)


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """The image with its longer side at most `side` pixels, its aspect ratio kept."""
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    # Averages two pixels a side: a third of the time of averaging all, with contours as good.
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def green_screen(image: np.ndarray) -> np.ndarray:
    """Foreground mask of what is not saturated green."""
    hsv = cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2HSV)
    low = np.array((GREEN_HUES[0], GREEN_SATURATION, GREEN_VALUE))
    return cv2.bitwise_not(cv2.inRange(hsv, low, np.array((GREEN_HUES[1], 255, 255))))


def grab_cut(image: np.ndarray) -> np.ndarray:
    """Foreground mask by GrabCut (Rother et al. 2004), everything inside the ring a candidate.

    Segments real photos far better than a threshold, but takes about 30 ms: it is for still images.
    """
    height, width = image.shape[:2]
    ring = max(1, round(RING * min(height, width)))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[ring:-ring, ring:-ring] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)  # its colour models start from random clusters
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    no_rectangle = (0, 0, 0, 0)
    cv2.grabCut(image, labels, no_rectangle, background, foreground, GRAB_CUT_ROUNDS,
                cv2.GC_INIT_WITH_MASK)  # fmt: skip
    return np.where(labels & 1, 255, 0).astype(np.uint8)  # GC_FGD and GC_PR_FGD are odd


class BackgroundSubtraction:
    """Foreground mask of what moved in front of a static camera (Zivkovic 2004).

    Cameras change their exposure when somebody appears: each frame is first matched to the
    background model in brightness and white balance.
    """

    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(STILL_FRAMES, 25, detectShadows=True)
        self._started = False

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """uint8 (H, W), 255 on the foreground, of a BGR image (H, W, 3)."""
        image = cv2.GaussianBlur(image, (5, 5), 0)
        if self._started:
            image = match_exposure(image, self._model.getBackgroundImage())
        self._started = True
        mask = self._model.apply(image)
        return cv2.threshold(mask, MOVING, 255, cv2.THRESH_BINARY)[1]


def match_exposure(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """A BGR image with each channel's gain changed so that most of it equals the background."""
    gains = []
    for now, before in zip(
        image[::4, ::4].reshape(-1, 3).T, background[::4, ::4].reshape(-1, 3).T, strict=True
    ):
        light = (now >= DARKEST) & (before >= DARKEST)
        gain = np.percentile(before[light] / now[light], 50) if light.any() else 1.0
        gains.append(float(np.clip(gain, 1 / MOST_GAIN, MOST_GAIN)))
    return cv2.multiply(image, np.array((*gains, 0.0)))


@dataclass(frozen=True)
class SegmentationMethod:
    """A way to separate foreground and background.

    Attributes:
        start: makes the function that masks the frames of one video.
        side: longer side of the image that it works on, in pixels; one that divides the usual
            widths halves the time of shrinking.
    """

    start: Callable[[], ForegroundMask]
    side: int


SEGMENTERS = {
    "border": SegmentationMethod(BorderContrast, 128),
    "grabcut": SegmentationMethod(lambda: grab_cut, 160),
    "green": SegmentationMethod(lambda: green_screen, 320),
    "motion": SegmentationMethod(BackgroundSubtraction, 128),
}


def regions_of(mask: np.ndarray, *, width: int, height: int) -> list[Region]:
    """Garments in a foreground mask uint8 of any size, for an image of `width` x `height`.

    Opens and closes the mask, fills holes, drops small blobs and blobs along the border; largest
    first.
    """
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, KERNEL)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    regions = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True):
        if cv2.contourArea(contour) < MIN_AREA * mask.size:
            break
        if _border_fraction(cv2.boundingRect(contour), mask) <= MAX_BORDER:
            regions.append(_enlarge(contour, mask, width=width, height=height))
    return regions


def _border_fraction(rectangle: Sequence[int], mask: np.ndarray) -> float:
    """The fraction of a rectangle's outline that lies on the mask's border."""
    x, y, w, h = rectangle
    height, width = mask.shape
    touching = w * ((y <= 1) + (y + h >= height - 1)) + h * ((x <= 1) + (x + w >= width - 1))
    return touching / (2 * (w + h))


def _enlarge(contour: np.ndarray, mask: np.ndarray, *, width: int, height: int) -> Region:
    """The filled contour of a small mask as a region of the full image."""
    x, y, w, h = cv2.boundingRect(contour)
    filled = np.zeros((h, w), np.uint8)
    cv2.drawContours(filled, [contour], -1, 255, cv2.FILLED, offset=(-x, -y))
    scale_x, scale_y = width / mask.shape[1], height / mask.shape[0]
    x1, y1 = x * scale_x, y * scale_y
    x2, y2 = min((x + w) * scale_x, width), min((y + h) * scale_y, height)
    box = np.array([x1, y1, x2, y2], np.float32)
    left, top, right, bottom = pixel_window(box)
    full = cv2.resize(filled, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    return Region(box, cv2.threshold(full, 127, 255, cv2.THRESH_BINARY)[1])
