"""Finds garments by contours and morphology, and cuts them as Fashion-MNIST's makers did.

A SEGMENTERS row turns a BGR image into a foreground mask at working size; `regions_of` turns the
mask into garments. Everything works on a reduced image: shape needs no more, and time is short.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import imutils
import numpy as np

from preprocessing.regions import Region

KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
WORKING_SIDE = 160  # pixels of the longer side; divides the usual widths, which halves the time
MIN_SIDE = 8  # pixels; a smaller image has no garment and no ground
MIN_AREA = 0.01  # share of the frame; smaller blobs are no garments
MAX_BORDER = 0.5  # share of a blob's box sides lying on the frame's border; above it is background
RING = 0.04  # width of the border ring that shows the background, as a share of the shorter side
BACKGROUND_COLOURS = 5
REACH = 0.06  # how far beyond its places on the ring a colour speaks, of the shorter side
WIDESPREAD = 0.25  # share of the ring from which a colour speaks for all between its places
ALIKE = 12.0  # CIELAB units under which two colours of the ring are shades of one ground
MIN_PLACES = 5  # samples of a colour on one side, below which it is a stray
FAR = 1e3  # distance of a pixel that no background colour speaks for
RING_SAMPLES = 500
# 8-bit Lab to CIELAB units, lightness at two thirds, since shadows only darken.
LAB_SCALE = np.array([0.67 * 100 / 255, 1.0, 1.0], np.float32)
MIN_SPREAD = 4.0  # CIELAB units; noise and shading of the plainest ground
WEAK, STRONG = 2.5, 4.5  # spreads away from the ground, for the two thresholds
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


def border_contrast(
    image: np.ndarray, ground: "list[BackgroundColour] | None" = None
) -> np.ndarray:
    """Foreground mask of what differs in colour from the frame's border.

    The border ring is summed up in a few colours; each pixel is held against the nearest of them
    that is seen around it, in units of that colour's own spread, so that a textured ground asks for
    more difference than a plain one. Two thresholds: what differs a little counts where it touches
    what differs a lot.

    Args:
        image: BGR uint8 (H, W, 3).
        ground: colours of an earlier, like frame; taken from this image if not given.
    """
    lab = _scaled_lab(image)
    distance = np.full(lab.shape[:2], FAR, np.float32)
    for colour in ground or _background_colours(lab):
        part = lab[colour.rows, colour.columns]
        away = cv2.magnitude(part[..., 0] - colour.lab[0], part[..., 1] - colour.lab[1])
        away = cv2.magnitude(away, part[..., 2] - colour.lab[2])
        nearest = distance[colour.rows, colour.columns]
        np.minimum(nearest, away / colour.spread, out=nearest)
    # Opened before it is labelled: a joint of a floor must not tie garments to each other.
    weak = cv2.morphologyEx((distance > WEAK).astype(np.uint8), cv2.MORPH_OPEN, KERNEL)
    _, labels = cv2.connectedComponents(weak, connectivity=4)
    kept = np.zeros(labels.max() + 1, np.uint8)
    kept[labels[distance > STRONG]] = 255
    kept[0] = 0  # the label of what is not even weakly different
    return kept[labels]


@dataclass(frozen=True, eq=False)
class BackgroundColour:
    """A colour of the border ring, in scaled CIELAB, and the part of the image it speaks for.

    That part is the rectangle around the colour's places on the ring, of all sides if it is
    widespread, else of one: a wall speaks for the whole image, a chair in a corner only for that
    corner, and a garment cut off by the border does not erase itself.
    """

    lab: np.ndarray
    spread: float
    rows: slice
    columns: slice


def _scaled_lab(image: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (3, 3), 0), cv2.COLOR_BGR2LAB).astype(np.float32)
    return lab * LAB_SCALE


def _background_colours(lab: np.ndarray) -> list[BackgroundColour]:
    """The main colours of the border ring of an image (H, W, 3)."""
    height, width = lab.shape[:2]
    places, sides = _ring_places(height, width)
    sample = np.ascontiguousarray(lab[places[:, 0], places[:, 1]])
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 1.0)
    cv2.setRNGSeed(0)
    _, nearest, centres = cv2.kmeans(
        sample, BACKGROUND_COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS
    )
    nearest = nearest[:, 0]
    colours = []
    for index, centre in enumerate(centres):
        members = sample[nearest == index]
        if not len(members):
            continue
        deviation = float(np.sqrt(((members - centre) ** 2).sum(axis=1).mean()))
        # Shades of one ground, as in a gradient, stand for each other.
        member = (np.linalg.norm(centres - centre, axis=1) < ALIKE)[nearest]
        groups = [member]
        if member.mean() < WIDESPREAD:
            groups = [member & (sides == side) for side in range(4)]
        colours += [
            BackgroundColour(
                centre, max(deviation, MIN_SPREAD), *_surroundings(places[group], height, width)
            )
            for group in groups
            if group.sum() >= MIN_PLACES
        ]
    return colours


def _surroundings(places: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the rectangle around places (N, 2), a little grown."""
    grow = round(REACH * min(height, width))
    # Percentiles, so that single stray pixels do not widen it.
    low, high = np.percentile(places, (3, 97), axis=0).astype(int)
    first = np.maximum(low - grow, 0)
    last = high + grow + 1
    return slice(first[0], last[0]), slice(first[1], last[1])


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
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, KERNEL)
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
    if min(image.shape[:2]) < MIN_SIDE:
        return []
    mask = SEGMENTERS[method](shrink(image))
    return regions_of(mask, width=image.shape[1], height=image.shape[0])


class SteadyGround:
    """`segment` for video: the ground's colours are taken anew every few frames only."""

    RENEWAL = 5  # frames

    def __init__(self) -> None:
        self._ground: list[BackgroundColour] = []
        self._age, self._shape = 0, (0, 0)

    def __call__(self, image: np.ndarray) -> list[Region]:
        """Garments in a BGR image (H, W, 3), largest first."""
        small = shrink(image)
        if min(small.shape[:2]) < MIN_SIDE:
            return []
        if self._age % self.RENEWAL == 0 or small.shape[:2] != self._shape:
            self._ground, self._shape = _background_colours(_scaled_lab(small)), small.shape[:2]
        self._age += 1
        mask = border_contrast(small, self._ground)
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
