"""Garments from the class of every pixel."""

import numpy as np
import pytest

from preprocessing.images.class_maps import (
    BACKGROUND,
    CLASSES,
    FIRST,
    PERSON,
    Postprocessing,
    garments,
    mask_table,
    worn_garments,
)
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.regions import Person
from preprocessing.labels import LAYERS

GRID = (60, 80)  # rows and columns of cells
FITTED = Postprocessing(smoothing=1.5, joining=9, absorption=0.8, layer_thresholds={"hat": 0.85})


def probabilities(*patches):
    """Probabilities float32 of 0.9 in rectangles (name, x1, y1, x2, y2) of cells."""
    labels = np.zeros(GRID, int)
    for name, x1, y1, x2, y2 in patches:
        labels[y1:y2, x1:x2] = CLASSES.index(name)
    found = np.full((len(CLASSES), *GRID), 0.01, np.float32)
    np.put_along_axis(found, labels[None], 0.9, axis=0)
    return found


def regions(*patches, settings=FITTED):
    return garments(probabilities(*patches), width=640, height=480, settings=settings)


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        ([], []),
        ([("person", 10, 10, 40, 50)], []),
        ([("top", 10, 10, 30, 30)], [("top", [80, 80, 240, 240])]),
        ([("top", 10, 10, 12, 12)], []),  # too small
        # A small patch of another layer on a top is part of it; apart from it, it is a garment.
        ([("top", 10, 10, 30, 30), ("dress", 25, 25, 30, 30)], [("top", [80, 80, 240, 240])]),
        ([("top", 10, 10, 30, 30), ("dress", 50, 10, 58, 18)],
         [("top", [80, 80, 240, 240]), ("dress", [400, 80, 464, 144])]),
        ([("top", 10, 10, 30, 30), ("trousers", 10, 30, 30, 36)],
         [("top", [80, 80, 240, 240]), ("trousers", [80, 240, 240, 288])]),
        ([("shoes", 10, 50, 18, 56), ("shoes", 30, 50, 38, 56)], [("shoes", [80, 400, 304, 448])]),
    ],
)  # fmt: skip
def test_patches_become_garments(patches, expected):
    found = [(LAYERS[r.scores.argmax()], r.box.tolist()) for r in regions(*patches)]
    assert found == expected


def test_neutral_settings_change_nothing_of_the_class_map():
    patches = ("top", 10, 10, 30, 30), ("dress", 25, 25, 30, 30), ("top", 33, 10, 43, 20)
    found = regions(*patches, settings=Postprocessing(threshold=0.5))
    assert [LAYERS[region.scores.argmax()] for region in found] == ["top", "top"]
    assert [region.box.tolist() for region in found] == [[80, 80, 240, 240], [264, 80, 344, 160]]


def test_layers_have_thresholds_of_their_own():
    hat = ("hat", 10, 10, 30, 30)
    assert regions(hat) and not regions(
        hat, settings=Postprocessing(layer_thresholds={"hat": 0.95})
    )


@pytest.mark.parametrize(
    ("around", "bare"),
    [
        ([], None),  # lying somewhere
        ([("person", 60, 40, 79, 59)], None),  # a person elsewhere in the picture
        ([("person", 24, 4, 36, 20)], 0.0),  # a head above, sleeves down to the hands
        ([("person", 24, 4, 36, 20), ("person", 16, 29, 20, 40)], 4 * 11 / 400),
        ([("person", 16, 29, 20, 40), ("person", 40, 29, 44, 40)], 8 * 11 / 400),
    ],
)
def test_bare_arms_beside_a_top(around, bare):
    (found,) = regions(*around, ("top", 20, 20, 40, 40))
    assert found.bare == (None if bare is None else pytest.approx(bare, abs=0.015))


def test_values_of_masks():
    table = mask_table({0: "null", 19: "hair", 45: "jeans", 46: "suit"})
    assert table[0] == BACKGROUND and table[19] == PERSON
    assert CLASSES[table[45]] == "trousers" and table[45] >= FIRST
    assert table[46] == table[200] == 255  # unclear, and unnamed


PERSON_AT = Person(np.float32((100, 100, 260, 420)), number=3)
WINDOW = CropWindow.around(PERSON_AT.box)  # of 320 x 368 pixels; a cell is 4 x 6.13 pixels


def worn(*patches, limits=(640, 480)):
    return worn_garments(probabilities(*patches), WINDOW, PERSON_AT, limits=limits)


def test_garments_of_a_person_lie_in_the_frame_and_have_a_wearer():
    (top,) = worn(("top", 20, 15, 60, 30), ("person", 30, 5, 45, 15))
    left, upper, right, lower = WINDOW.sides
    width, height = (right - left) / GRID[1], (lower - upper) / GRID[0]
    expected = [left + 20 * width, upper + 15 * height, left + 60 * width, upper + 30 * height]
    assert top.box == pytest.approx(np.array(expected), abs=0.01)
    assert top.wearer is PERSON_AT and top.bare is not None
    x1, y1, x2, y2 = top.window
    assert top.mask.shape == (y2 - y1, x2 - x1) and (top.mask > 0).mean() > 0.9


@pytest.mark.parametrize(
    ("patches", "layers"),
    [
        # Both shoes are one garment, and so are the parts of a jacket beside the T-shirt in it.
        ([("shoes", 10, 50, 18, 56), ("shoes", 30, 50, 38, 56)], ["shoes"]),
        ([("outer", 10, 10, 20, 40), ("top", 20, 10, 28, 36), ("outer", 28, 10, 38, 40)],
         ["outer", "top"]),
        ([("top", 10, 10, 40, 30), ("dress", 30, 25, 38, 30)], ["top"]),  # mislabelled cloth
        ([("bag", 10, 10, 12, 12)], []),  # too small
        ([("bag", 10, 10, 30, 30), ("bag", 60, 10, 63, 13)], ["bag"]),  # a speck far off
    ],
)  # fmt: skip
def test_a_person_has_one_garment_of_a_layer(patches, layers):
    found = worn(*patches, ("person", 2, 2, 20, 9))
    assert [LAYERS[region.scores.argmax()] for region in found] == layers
    if layers == ["bag"]:
        assert found[0].box[2] - found[0].box[0] < 90


def test_a_garment_of_a_crop_ends_at_the_frames_border():
    patches = ("top", 20, 15, 60, 59), ("person", 30, 5, 45, 15)
    (whole,) = worn(*patches)
    (cut,) = worn(*patches, limits=(200, 300))
    assert whole.box[2] > 200 and whole.box[3] > 300
    assert cut.box[2:].tolist() == [200, 300] and cut.mask.shape[1] == 200 - cut.window[0]
    assert worn(*patches, limits=(100, 100)) == []
