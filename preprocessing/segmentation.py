"""Finds garments by contours and morphology, and cuts them as Fashion-MNIST's makers did.

A SEGMENTERS row turns a BGR image into a foreground mask at working size; `regions_of` turns the
mask into garments. Everything works on a reduced image: shape needs no more, and time is short.
"""

import cv2
import imutils
import numpy as np

from preprocessing.regions import Region

WORKING_SIDE = 192  # pixels of the longer side
MIN_AREA = 0.01  # share of the frame; smaller blobs are no garments
MAX_BORDER = 0.5  # share of a blob's box sides lying on the frame's border; above it is background
RING = 0.04  # width of the border ring that shows the background, as a share of the shorter side
BACKGROUND_COLOURS = 3
MIN_CONTRAST = 14.0  # CIELAB units; a weaker difference from the background is noise or shadow
GRAB_CUT_SIDE = 128  # pixels of the longer side; 200 takes three times as long for no better masks
GRAB_CUT_ROUNDS = 5
GREEN_HUES = (35, 85)  # OpenCV's hue runs from 0 to 179
GREEN_SATURATION = 80


def shrink(image: np.ndarray, side: int = WORKING_SIDE) -> np.ndarray:
    """The image with its longer side at most `side`, its aspect kept."""
    if max(image.shape[:2]) <= side:
        return image
    landscape = image.shape[1] >= image.shape[0]
    size = {"width": side} if landscape else {"height": side}
    return imutils.resize(image, **size, inter=cv2.INTER_AREA)


def border_contrast(image: np.ndarray) -> np.ndarray:
    """Foreground mask of what differs in colour from the frame's border.

    The border ring is summed up in a few colours; each pixel is held against the nearest of them,
    in units of that colour's own spread, so a textured ground asks for more difference than a
    plain one. Otsu's threshold then splits the frame.
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (5, 5), 0), cv2.COLOR_BGR2LAB).astype(np.float32)
    ring = _ring(lab)
    centres, spreads = _colours(ring)
    distance = np.full(lab.shape[:2], np.inf, np.float32)
    for centre, spread in zip(centres, spreads, strict=True):
        difference = lab - centre
        away = np.sqrt(np.einsum("ijk,ijk->ij", difference, difference))
        np.minimum(distance, away / spread, out=distance)
    scaled = np.minimum(distance * 16, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return cv2.threshold(scaled, max(otsu, 16), 255, cv2.THRESH_BINARY)[1]


def _ring(image: np.ndarray) -> np.ndarray:
    """The pixels (N, 3) along the image's border."""
    width = max(2, round(RING * min(image.shape[:2])))
    sides = image[:width], image[-width:], image[:, :width], image[:, -width:]
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _colours(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (K, 3) and spreads (K,) of the main colours; a spread is never below MIN_CONTRAST."""
    sample = np.ascontiguousarray(pixels[:: max(1, len(pixels) // 400)])
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 1.0)
    cv2.setRNGSeed(0)
    count = min(BACKGROUND_COLOURS, len(sample))
    _, nearest, centres = cv2.kmeans(sample, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    away = np.linalg.norm(sample - centres[nearest[:, 0]], axis=1)
    counts = np.bincount(nearest[:, 0], minlength=count)
    mean_square = np.bincount(nearest[:, 0], weights=away**2, minlength=count)
    deviation = np.sqrt(mean_square / np.maximum(counts, 1))
    return centres, np.maximum(2 * deviation, MIN_CONTRAST)


def green_screen(image: np.ndarray) -> np.ndarray:
    """Foreground mask of what is not saturated green."""
    hsv = cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2HSV)
    low, high = (GREEN_HUES[0], GREEN_SATURATION, 40), (GREEN_HUES[1], 255, 255)
    return cv2.bitwise_not(cv2.inRange(hsv, low, high))


def grab_cut(image: np.ndarray) -> np.ndarray:
    """Foreground mask by graph cuts (Rother et al. 2004), everything inside the ring a candidate.

    Cuts real photos far better than a threshold and takes some 20 ms, so it is for still images.
    """
    image = shrink(image, GRAB_CUT_SIDE)
    height, width = image.shape[:2]
    ring = max(1, round(RING * min(height, width)))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[ring:-ring, ring:-ring] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)  # its colour models start from random clusters
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, None, *models, GRAB_CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.where(labels & 1, 255, 0).astype(np.uint8)  # GC_FGD and GC_PR_FGD are odd


def regions_of(mask: np.ndarray, *, width: int, height: int) -> list[Region]:
    """Garments in a foreground mask uint8 of any size, for an image of `width` x `height`.

    Opens and closes the mask, fills holes, drops small blobs and blobs that line the border;
    largest first.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    found = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contours = sorted(imutils.grab_contours(found), key=cv2.contourArea, reverse=True)
    small_height, small_width = mask.shape
    scale = np.array([width / small_width, height / small_height], np.float32)
    regions = []
    for contour in contours:
        if cv2.contourArea(contour) < MIN_AREA * mask.size:
            break
        if _on_border(cv2.boundingRect(contour), small_width, small_height) <= MAX_BORDER:
            regions.append(_region(contour, scale))
    return regions


def _on_border(rectangle: tuple[int, int, int, int], width: int, height: int) -> float:
    """The share of a rectangle's outline that lies on the frame's border."""
    x, y, w, h = rectangle
    touching = w * ((y <= 1) + (y + h >= height - 1)) + h * ((x <= 1) + (x + w >= width - 1))
    return touching / (2 * (w + h))


def _region(contour: np.ndarray, scale: np.ndarray) -> Region:
    """The filled contour, at working size, as a region of the full image."""
    x, y, width, height = cv2.boundingRect(contour)
    box = np.array([x, y, x + width, y + height], np.float32) * np.tile(scale, 2)
    filled = np.zeros((height, width), np.uint8)
    cv2.drawContours(filled, [contour], -1, 255, cv2.FILLED, offset=(-x, -y))
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.ceil(box[2:]).astype(int)
    full = cv2.resize(filled, (int(x2 - x1), int(y2 - y1)), interpolation=cv2.INTER_LINEAR)
    return Region(box, cv2.threshold(full, 127, 255, cv2.THRESH_BINARY)[1])


def segment(image: np.ndarray, method: str = "border") -> list[Region]:
    """Garments in a BGR image (H, W, 3), largest first.

    Args:
        method: a row of SEGMENTERS.
    """
    mask = SEGMENTERS[method](shrink(image))
    return regions_of(mask, width=image.shape[1], height=image.shape[0])


class MovingForeground:
    """What moved in front of a static camera (Zivkovic 2004): an image to its garments."""

    def __init__(self, history: int = 300):
        self._model = cv2.createBackgroundSubtractorMOG2(history, 25, detectShadows=True)

    def __call__(self, image: np.ndarray) -> list[Region]:
        mask = self._model.apply(cv2.GaussianBlur(shrink(image), (5, 5), 0))
        mask = cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY)[1]  # 127 marks a shadow
        return regions_of(mask, width=image.shape[1], height=image.shape[0])


def to_fashion_mnist(image: np.ndarray, region: Region, size: int = 28) -> np.ndarray:
    """The garment as a uint8 (size, size) picture of the data set: bright on black and centred.

    Follows section 2 of arXiv 1708.07747: trim to the garment, longest edge to size with the aspect
    kept, grey, negate, centre, pad. The ground, white in the original photos and black after
    negation, is set to black by the mask.
    """
    x1, y1, x2, y2 = region.window
    crop = image[y1:y2, x1:x2]
    longest = max(crop.shape[:2])
    width, height = (max(1, round(size * side / longest)) for side in crop.shape[1::-1])
    small = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(region.mask, (width, height), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    negative = ((255 - grey).astype(np.uint16) * cover // 255).astype(np.uint8)
    canvas = np.zeros((size, size), np.uint8)
    left, top = (size - width) // 2, (size - height) // 2
    canvas[top : top + height, left : left + width] = negative
    return canvas


SEGMENTERS = {"border": border_contrast, "green": green_screen, "grabcut": grab_cut}
