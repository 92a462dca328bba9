"""Garments in the masks of photos of people: boxes by layer, regions by class."""

from collections.abc import Iterator

import numpy as np

from preprocessing.errors import DataError
from preprocessing.images.regions import Region, without_specks
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS, MASK_CLASS, MASK_LAYER

MIN_AREA = 0.0008  # of the photo, covered by a garment's pixels


def mask_boxes(mask: np.ndarray, names: dict[int, str]) -> tuple[tuple[int, ...], np.ndarray]:
    """Layers and boxes of a mask uint8 (H, W) of label numbers; a pair of shoes is one box.

    Raises:
        DataError: a label that means none of the layers clearly.
    """
    present = {names.get(int(value), "") for value in np.unique(mask)}
    ambiguous = MASK_AMBIGUOUS & present
    if ambiguous:
        raise DataError(f"has a {', '.join(sorted(ambiguous))}")
    layers = np.full(256, len(LAYERS), np.uint8)
    for value, name in names.items():
        if name in MASK_LAYER:
            layers[value] = LAYERS.index(MASK_LAYER[name])
    return layer_boxes(layers[mask])


def layer_boxes(layers: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """The layers in a map uint8 (H, W) of their numbers, and their boxes float32 (N, 4) xyxy.

    Other values of the map are no layer.
    """
    labels, boxes = [], []
    for label in range(len(LAYERS)):
        region = Region.from_mask(without_specks(layers == label))
        if region is not None and (region.mask > 0).sum() >= MIN_AREA * layers.size:
            labels.append(label)
            boxes.append(region.box)
    return tuple(labels), np.array(boxes, np.float32).reshape(-1, 4)


def class_regions(mask: np.ndarray, names: dict[int, str]) -> Iterator[tuple[str, str, Region]]:
    """The garments of a mask uint8 (H, W) that have a class: the mask's name, the class, the place.

    Args:
        names: of the label numbers.
    """
    for value in np.unique(mask):
        name = names.get(int(value), "")
        if name in MASK_CLASS:
            region = Region.from_mask(without_specks(mask == value))
            if region is not None:
                yield name, MASK_CLASS[name], region
