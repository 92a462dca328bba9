"""The garments of a frame: arrays, selections, tables of other packages; nothing of none."""

import dataclasses
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest

from preprocessing.errors import UsageError
from realtime.library import tables
from realtime.library.garments import Garments
from realtime.sinks.annotate import Annotator
from realtime.sinks.rows import COLUMNS
from realtime.types import Frame, Garment, Label, Person, Region

NAMES = ("shirt", "hat", "garment", "unknown")


def garments(count: int = 3) -> Garments:
    """A red shirt of person 1, a hat of nobody, and something unknown, in a picture of 40 x 30."""
    image = np.full((30, 40, 3), 200, np.uint8)
    boxes = [(2.5, 3, 10, 12), (20, 5, 30, 15), (0, 20, 40, 30)]
    wearer = Person(np.array([0, 0, 20, 30], np.float32), number=1)
    names, colours = ("shirt", "hat", "unknown"), ("red", "blue", "")
    items = [
        Garment(
            dataclasses.replace(
                Region.from_box(np.array(box, np.float32)), wearer=None if number else wearer
            ),
            track=number + 1,
            label=Label(
                names[number], 0.9 - 0.2 * number, (("garment", 0.95), (names[number], 0.9))
            ),
            colour=colours[number],
            attributes={} if number else {"sleeves": "short", "neck": "v"},
        )
        for number, box in enumerate(boxes[:count])
    ]
    frame = Frame(image, 7, 280, Fraction(1, 1000), 0.0)
    return Garments(tuple(items), frame, NAMES, Annotator(NAMES[:2]))


def test_arrays_and_names():
    found = garments()
    assert found.boxes.dtype == np.float32 and found.boxes[0].tolist() == [2.5, 3, 10, 12]
    assert found.masks.dtype == bool and found.masks.shape == (3, 30, 40)
    assert found.masks.sum(axis=(1, 2)).tolist() == [72, 100, 400]
    assert found.names == ("shirt", "hat", "unknown") and found.class_ids.tolist() == [0, 1, 3]
    assert found.persons == (1, None, None) and found.tracks.tolist() == [1, 2, 3]
    assert found.colours == ("red", "blue", "") and found.attributes[0]["neck"] == "v"
    assert found.probabilities == pytest.approx([0.9, 0.7, 0.5])
    assert [crop.shape for crop in found.crops] == [(9, 8, 3), (10, 10, 3), (10, 40, 3)]
    assert repr(found) == "<Garments: red shirt 0.90, blue hat 0.70, unknown 0.50>"


def test_nothing_of_it_changes():
    found = garments()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.items = ()
    for array in (found.boxes, found.masks, found.tracks, found.probabilities, found.image):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


@pytest.mark.parametrize(
    ("which", "names"),
    [
        (slice(1, None), ("hat", "unknown")),
        (slice(None, None, 2), ("shirt", "unknown")),
        (np.array([True, False, True]), ("shirt", "unknown")),
        ([False, True, False], ("hat",)),
    ],
)
def test_a_selection_is_garments_again(which, names):
    found = garments()[which]
    assert isinstance(found, Garments) and found.names == names
    assert found.boxes.shape == (len(names), 4) and found.frame.index == 7


def test_one_of_them():
    found = garments()
    assert found[0] is found.items[0] is next(iter(found)) and found[np.int64(-1)] is found[2]
    assert found[found.probabilities > 0.6].names == ("shirt", "hat")
    with pytest.raises(IndexError):
        _ = found[3]


@pytest.mark.parametrize("mask", [np.array([True]), np.array([0, 1, 2]), [True] * 4])
def test_masks_of_another_form(mask):
    with pytest.raises(UsageError, match=r"must be bool \(3,\), got"):
        _ = garments()[mask]


def test_none_are_empty_arrays_of_the_same_form():
    found = garments(0)
    assert not found and found[np.zeros(0, bool)].names == ()
    assert found.boxes.shape == (0, 4) and found.boxes.dtype == np.float32
    assert found.masks.shape == (0, 30, 40) and found.tracks.dtype == np.int64
    assert found.to_json() == "[]" and found.to_json(lines=True) == ""
    assert repr(found) == "<Garments: none>" and (found.picture == found.image).all()


def test_rows_are_those_of_the_outputs():
    (first, second, _) = json.loads(garments().to_json())
    assert first == {
        "frame": 7, "time": 0.28, "track": 1, "person": 1, "box": [2.5, 3.0, 10.0, 12.0],
        "label": "shirt", "probability": 0.9, "path": [["garment", 0.95], ["shirt", 0.9]],
        "held": False, "colour": "red", "attributes": {"sleeves": "short", "neck": "v"},
        "zones": [],
    }  # fmt: skip
    assert second["person"] is None
    assert len(garments().to_json(lines=True).splitlines()) == 3


def test_a_notebook_shows_the_labelled_picture():
    png = np.frombuffer(garments()._repr_png_(), np.uint8)
    assert (cv2.imdecode(png, cv2.IMREAD_COLOR) == garments().picture).all()


def test_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table, none = garments().to_pandas(), garments(0).to_pandas()
    assert tuple(table) == COLUMNS == tuple(none) and (table.dtypes == none.dtypes).all()
    assert table.person.tolist() == [1, pandas.NA, pandas.NA] and table.x1[0] == 2.5
    assert table.path[0] == "garment 0.95 > shirt 0.90" and table.attributes[0]["neck"] == "v"
    both = pandas.concat([none, table, none])
    assert (both.dtypes == table.dtypes).all() and len(both) == 3


def test_polars():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table, none = garments().to_polars(), garments(0).to_polars()
    assert tuple(table.columns) == COLUMNS and table.schema == none.schema
    assert table["person"].to_list() == [1, None, None]
    assert table["attributes"][0][1] == {"key": "neck", "value": "v"}
    assert len(polars.concat([none, table])) == 3


@pytest.mark.parametrize("count", [0, 3])
def test_supervision(count):
    pytest.importorskip("supervision", reason="supervision is not installed")
    found, given = garments(count).to_supervision(), garments(count)
    assert len(found) == count and (found.xyxy == given.boxes).all()
    assert (found.mask == given.masks).all() and found.area.tolist() == [72, 100, 400][:count]
    assert found.class_id.tolist() == [0, 1, 3][:count]
    assert found["person"].tolist() == [1, 0, 0][:count]
    assert found["class_name"].tolist() == list(given.names)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(tables.importlib, "import_module", absent)
    for name in ("pandas", "polars", "supervision"):
        with pytest.raises(UsageError, match=rf"to_{name}\(\) needs {name}: pip install {name}"):
            getattr(garments(), f"to_{name}")()


def absent(name):
    raise ImportError(name)
