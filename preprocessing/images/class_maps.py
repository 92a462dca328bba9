"""Class maps: the parser's classes, and the garments that its class probabilities contain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from preprocessing.images.person_crops import CropWindow
from preprocessing.images.regions import Person, Region, pixel_window
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS, MASK_LAYER

CLASSES = ("background", "person", *LAYERS)
BACKGROUND, PERSON, FIRST = 0, 1, 2  # FIRST: the first garment's number
UNKNOWN_PIXEL = 255  # of a mask: no class is right or wrong there
# Layers that are worn one over another, or one in place of another.
GROUPS = (("top", "outer", "dress"), ("trousers", "skirt", "shorts", "dress"))
MIN_AREA = 0.006  # of the frame; smaller patches are no garments
MIN_PERSON = 0.02  # of a garment's area: visible skin and hair near it, if it is worn
# Of one person's garments in a crop.
SAME_GARMENT = 0.15  # of a garment's largest piece, from which another piece belongs to it
WORN_ABSORPTION = 0.5  # see `Postprocessing.absorption`
WORN_THRESHOLD = 0.35  # see `Postprocessing.threshold`
MIN_CELLS = 6  # of a garment
# A top in an open jacket is no mislabelled part of it.
INSIDE = ((FIRST + LAYERS.index("top"), FIRST + LAYERS.index("outer")),)
ARMS = (0.3, 1.15)  # of a top's height, from above: the range in which arms hang


@dataclass(frozen=True)
class Postprocessing:
    """How class probabilities become garments.

    The defaults leave a network's result as it is. `training.parsing.fit_postprocessing` fits
    better ones to a network.

    Attributes:
        smoothing: standard deviation in cells of a Gaussian filter over the probabilities; 0 for
            none.
        joining: width in cells of the dilation that joins pieces of one class to one garment; 1
            joins none but touching ones.
        absorption: fraction of the area of a touching patch in the same group, below which a patch
            is mislabelled cloth of that one.
        threshold: minimum mean probability of a garment's layer over its pixels.
        layer_thresholds: the same for single layers.
    """

    smoothing: float = 0.0
    joining: int = 1
    absorption: float = 0.0
    threshold: float = 0.5
    layer_thresholds: Mapping[str, float] = field(default_factory=dict)


def mask_table(names: dict[int, str]) -> np.ndarray:
    """The class of every value of a mask file, uint8 (256,), from the values' names.

    Whatever people wear and carry besides garments is of the class person.
    """
    table = np.full(256, UNKNOWN_PIXEL, np.uint8)
    for value, name in names.items():
        if name == "null":
            table[value] = BACKGROUND
        elif name in MASK_LAYER:
            table[value] = FIRST + LAYERS.index(MASK_LAYER[name])
        elif name not in MASK_AMBIGUOUS:
            table[value] = PERSON
    return table


def pixel_pairs(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Confusion matrix of pixels, int64 (classes, classes), a row a true class.

    Pixels of no known class are left out.

    Args:
        truth, predicted: classes uint8 of the same shape.
    """
    known = truth != UNKNOWN_PIXEL
    pairs = truth[known].astype(np.int64) * len(CLASSES) + predicted[known]
    return np.bincount(pairs, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), len(CLASSES))


def overlaps(pixels: np.ndarray) -> np.ndarray:
    """Intersection over union of each class from `pixel_pairs`; nan if it does not occur."""
    both = pixels.sum(axis=0) + pixels.sum(axis=1) - np.diag(pixels)
    return np.where(pixels.sum(axis=1) > 0, np.diag(pixels) / np.maximum(both, 1), np.nan)


def garments(
    probabilities: np.ndarray, *, width: int, height: int, settings: Postprocessing
) -> list[Region]:
    """Garments in class probabilities float32 (classes, h, w), largest first.

    A garment's scores are the mean probabilities of the layers over its pixels.

    Args:
        width, height: of the image.
    """
    labels = _smoothed(probabilities, settings.smoothing).argmax(axis=0).astype(np.uint8)
    patches = _patches(labels, settings.joining)
    for group in GROUPS:
        members = {FIRST + LAYERS.index(name) for name in group}
        _absorb(patches, members, settings.absorption)
    regions, cells = [], CellGrid.of_frame(labels.shape, width=width, height=height)
    for _, cover in sorted(patches, key=lambda patch: -int(patch[1].sum())):
        scores = probabilities[FIRST:, cover].mean(axis=1)
        layer = LAYERS[scores.argmax()]
        threshold = settings.layer_thresholds.get(layer, settings.threshold)
        if cover.sum() >= MIN_AREA * cover.size and scores.max() >= threshold:
            region = cells.region(cover, scores)
            if region is not None:
                regions.append(replace(region, bare=bare_fraction(labels, cover)))
    return regions


def worn_garments(
    probabilities: np.ndarray, window: CropWindow, person: Person, *, limits: tuple[int, int]
) -> list[Region]:
    """Garments of one person in class probabilities float32 (classes, h, w) of a crop.

    A person has one garment of each layer: two shoes are a pair. Largest first.

    Args:
        window: of the crop.
        person: their wearer.
        limits: width and height of the frame; a garment ends at its border.
    """
    labels = probabilities.argmax(axis=0).astype(np.uint8)
    patches: list[list] = [
        [int(label), _largest_pieces(labels == label)]
        for label in np.unique(labels[labels >= FIRST])
    ]
    for group in GROUPS:
        members = {FIRST + LAYERS.index(name) for name in group}
        _absorb(patches, members, WORN_ABSORPTION, apart=INSIDE)
    cells, regions = CellGrid.of_crop(window, labels.shape, limits=limits), []
    for label, cover in sorted(patches, key=lambda patch: -int(patch[1].sum())):
        scores = probabilities[FIRST:, cover].mean(axis=1)
        if cover.sum() < MIN_CELLS or scores[label - FIRST] < WORN_THRESHOLD:
            continue
        region = cells.region(cover, scores)
        if region is not None:
            bare = bare_fraction(labels, cover) or 0.0
            regions.append(replace(region, bare=bare, wearer=person))
    return regions


def _largest_pieces(cover: np.ndarray) -> np.ndarray:
    """A mask bool (h, w) without pieces much smaller than its largest one."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(cover.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(pieces, 1 + np.flatnonzero(areas >= SAME_GARMENT * areas.max()))


def _smoothed(probabilities: np.ndarray, deviation: float) -> np.ndarray:
    if not deviation:
        return probabilities
    return np.stack([cv2.GaussianBlur(plane, (0, 0), deviation) for plane in probabilities])


def bare_fraction(labels: np.ndarray, cover: np.ndarray) -> float | None:
    """Visible skin and hair around a garment, relative to its area: see `Region.bare`.

    Args:
        labels: class of every pixel or cell, uint8 (h, w).
        cover: True on the garment, bool (h, w).
    """
    x, y, width, height = cv2.boundingRect(cover.astype(np.uint8))
    person = labels == PERSON
    near = person[max(0, y - height // 4) : y + height + height // 4,
                  max(0, x - width // 4) : x + width + width // 4]  # fmt: skip
    area = int(cover.sum())
    if near.sum() < MIN_PERSON * area:
        return None
    sides = person[y + round(ARMS[0] * height) : y + round(ARMS[1] * height),
                   max(0, x - width // 4) : x + width + width // 4]  # fmt: skip
    return float(sides.sum()) / area


def _patches(labels: np.ndarray, joining: int) -> list[list]:
    """Pieces of one class that lie together, as [class, bool (h, w)]; all shoes are one."""
    shoes = FIRST + LAYERS.index("shoes")
    found = []
    for label in np.unique(labels[labels >= FIRST]):
        cover = labels == label
        if label == shoes:
            found.append([int(label), cover])
            continue
        wide = cv2.dilate(cover.astype(np.uint8), np.ones((joining, joining), np.uint8))
        count, pieces = cv2.connectedComponents(wide)
        found += [[int(label), cover & (pieces == number)] for number in range(1, count)]
    return found


def _absorb(
    patches: list[list],
    group: set[int],
    absorption: float,
    *,
    apart: Collection[tuple[int, int]] = (),
) -> None:
    """Merge small patches into a larger one of their group that they touch, in place.

    Args:
        apart: pairs of classes, of which the first is never merged into the second.
    """
    members = sorted((p for p in patches if p[0] in group), key=lambda patch: int(patch[1].sum()))
    for index, small in enumerate(members):
        around = cv2.dilate(small[1].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        for large in reversed(members[index + 1 :]):
            mislabelled = small[1].sum() < absorption * large[1].sum()
            if mislabelled and (small[0], large[0]) not in apart and (around & large[1]).any():
                large[1] |= small[1]
                patches[:] = [patch for patch in patches if patch is not small]
                break


@dataclass(frozen=True)
class CellGrid:
    """Where the cells of class probabilities lie in a frame.

    Attributes:
        left, top: of the first cell, in pixels of the frame, possibly outside.
        cell_width, cell_height: in pixels of the frame.
        width, height: of the frame.
    """

    left: float
    top: float
    cell_width: float
    cell_height: float
    width: int
    height: int

    @classmethod
    def of_frame(cls, shape: tuple[int, ...], *, width: int, height: int) -> "CellGrid":
        """Cells (h, w) that cover a whole frame."""
        return cls(0.0, 0.0, width / shape[1], height / shape[0], width, height)

    @classmethod
    def of_crop(
        cls, window: CropWindow, shape: tuple[int, ...], *, limits: tuple[int, int]
    ) -> "CellGrid":
        """Cells (h, w) of a crop of a frame of `limits`, width and height."""
        x1, y1, x2, y2 = window.sides.tolist()
        return cls(x1, y1, (x2 - x1) / shape[1], (y2 - y1) / shape[0], *limits)

    def region(self, cover: np.ndarray, scores: np.ndarray) -> Region | None:
        """Cells bool (h, w) as a region of the frame; None if they lie outside."""
        x, y, w, h = cv2.boundingRect(cover.astype(np.uint8))
        left, top = self.left + x * self.cell_width, self.top + y * self.cell_height
        right, bottom = left + w * self.cell_width, top + h * self.cell_height
        box = np.array([left, top, right, bottom], np.float32)
        limits = np.array([self.width, self.height] * 2, np.float32)
        inside = np.clip(box, 0, limits)
        if (inside[2:] - inside[:2]).min() < 1:
            return None
        x1, y1, x2, y2 = pixel_window(box)
        small = np.where(cover[y : y + h, x : x + w], 255, 0).astype(np.uint8)
        full = cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        a, b, c, d = pixel_window(inside)
        mask = cv2.threshold(full[b - y1 : d - y1, a - x1 : c - x1], 127, 255, cv2.THRESH_BINARY)[1]
        return Region(inside, mask, scores.astype(np.float32))
