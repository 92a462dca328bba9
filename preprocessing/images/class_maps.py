"""The parser's classes, and what its answer for a frame means: garments with masks."""

from dataclasses import replace

import cv2
import numpy as np

from preprocessing.images.regions import Region, pixel_window
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS, MASK_LAYER

CLASSES = ("background", "person", *LAYERS)
BACKGROUND, PERSON, FIRST = 0, 1, 2  # FIRST: the first garment's number
UNKNOWN_PIXEL = 255  # of a mask: no class is right or wrong there
# Kinds that a body wears one over the other, or one instead of the other.
GROUPS = (("top", "outer", "dress"), ("trousers", "skirt", "shorts", "dress"))
SMALLEST = 0.006  # of the frame; smaller patches are no garments
LEAST_PERSON = 0.02  # of a garment's area, that a person shows near it when it is worn
ARMS = (0.3, 1.15)  # between these shares of a top's height, from above, arms hang
# How an answer becomes garments, chosen on the validation photos by the garments found.
SOFTEN = 1.5  # cells; the answer is smoothed by a Gaussian of this deviation
JOINED = 9  # cells; pieces of a class whose outlines, so much wider, meet are one garment
ABSORBED = 0.8  # of a touching patch of the same group, below which a patch is an error of naming
# Of a garment's layer, over its pixels; most of what is found of these two below theirs is neither.
LEAST_SCORE = 0.5
LEAST_OF = {"bag": 0.8, "hat": 0.85}


def mask_table(names: dict[int, str]) -> np.ndarray:
    """The class of every value of a mask file, uint8 (256,), given the values' names.

    What people wear and carry besides garments counts as person.
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


def pixel_pairs(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """How many pixels of each class were given each class: int64 (classes, classes), a row a true
    class; pixels of no known class are left out.

    Args:
        truth, answer: classes uint8 of the same shape.
    """
    known = truth != UNKNOWN_PIXEL
    pairs = truth[known].astype(np.int64) * len(CLASSES) + answer[known]
    return np.bincount(pairs, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), len(CLASSES))


def overlaps(pixels: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, nan where it does not occur, of `pixel_pairs`."""
    both = pixels.sum(axis=0) + pixels.sum(axis=1) - np.diag(pixels)
    return np.where(pixels.sum(axis=1) > 0, np.diag(pixels) / np.maximum(both, 1), np.nan)


def garments(probabilities: np.ndarray, *, width: int, height: int) -> list[Region]:
    """Garments of an answer float32 (classes, h, w), largest first, for an image of that size.

    A garment's scores are the mean probabilities of the layers over its pixels.
    """
    smooth = np.stack([cv2.GaussianBlur(plane, (0, 0), SOFTEN) for plane in probabilities])
    labels = smooth.argmax(axis=0).astype(np.uint8)
    patches = _patches(labels)
    for group in GROUPS:
        _absorb(patches, {FIRST + LAYERS.index(name) for name in group})
    regions = []
    for _, cover in sorted(patches, key=lambda patch: -int(patch[1].sum())):
        scores = probabilities[FIRST:, cover].mean(axis=1)
        least = LEAST_OF.get(LAYERS[scores.argmax()], LEAST_SCORE)
        if cover.sum() >= SMALLEST * cover.size and scores.max() >= least:
            region = _region(cover, scores, width=width, height=height)
            regions.append(replace(region, bare=bare_share(labels, cover)))
    return regions


def bare_share(labels: np.ndarray, cover: np.ndarray) -> float | None:
    """How much of a person shows around a garment, as `Region.bare` has it.

    Args:
        labels: the class of every pixel or cell, uint8 (h, w); cover: the garment's, bool.
    """
    x, y, width, height = cv2.boundingRect(cover.astype(np.uint8))
    person = labels == PERSON
    near = person[max(0, y - height // 4) : y + height + height // 4,
                  max(0, x - width // 4) : x + width + width // 4]  # fmt: skip
    area = int(cover.sum())
    if near.sum() < LEAST_PERSON * area:
        return None
    sides = person[y + round(ARMS[0] * height) : y + round(ARMS[1] * height),
                   max(0, x - width // 4) : x + width + width // 4]  # fmt: skip
    return float(sides.sum()) / area


def _patches(labels: np.ndarray) -> list[list]:
    """Pieces of one garment class that lie together: [class, bool (h, w)]; all shoes are one."""
    shoes = FIRST + LAYERS.index("shoes")
    found = []
    for label in np.unique(labels[labels >= FIRST]):
        cover = labels == label
        if label == shoes:
            found.append([int(label), cover])
            continue
        wide = cv2.dilate(cover.astype(np.uint8), np.ones((JOINED, JOINED), np.uint8))
        count, pieces = cv2.connectedComponents(wide)
        found += [[int(label), cover & (pieces == number)] for number in range(1, count)]
    return found


def _absorb(patches: list[list], group: set[int]) -> None:
    """Give small patches to a large patch of their group that they touch, in place."""
    members = sorted((p for p in patches if p[0] in group), key=lambda patch: int(patch[1].sum()))
    for index, small in enumerate(members):
        around = cv2.dilate(small[1].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        for large in reversed(members[index + 1 :]):
            if small[1].sum() < ABSORBED * large[1].sum() and (around & large[1]).any():
                large[1] |= small[1]
                patches[:] = [patch for patch in patches if patch is not small]
                break


def _region(cover: np.ndarray, scores: np.ndarray, *, width: int, height: int) -> Region:
    """A patch of cells as a region of the image."""
    x, y, w, h = cv2.boundingRect(cover.astype(np.uint8))
    scale_x, scale_y = width / cover.shape[1], height / cover.shape[0]
    box = np.array([x * scale_x, y * scale_y, (x + w) * scale_x, (y + h) * scale_y], np.float32)
    box = np.minimum(box, np.array([width, height] * 2, np.float32))
    left, top, right, bottom = pixel_window(box)
    small = np.where(cover[y : y + h, x : x + w], 255, 0).astype(np.uint8)
    full = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    mask = cv2.threshold(full, 127, 255, cv2.THRESH_BINARY)[1]
    return Region(box, mask, scores.astype(np.float32))
