"""Judging garments by their names, and tables of figures."""

from dataclasses import replace

import make
import numpy as np
import pytest

from preprocessing.errors import SinkError
from preprocessing.labels import LAYERS
from realtime.bench import answers
from realtime.bench.answers import is_general, layer_of, markdown, predicted, wearers
from realtime.types import UNKNOWN, Label, Person

LONGSLEEVE = (("garment", 0.9), ("upper body", 0.8), ("top", 0.6), ("longsleeve", 0.3))
COAT = (("garment", 0.9), ("upper body", 0.8), ("outwear", 0.4))


def garment(name, *, path=(), layer="", **more):
    """A garment; `layer` is the most probable one of the locator."""
    made = make.garment(name, **more)
    scores = np.eye(len(LAYERS), dtype=np.float32)[LAYERS.index(layer)] if layer else None
    return replace(made, label=Label(name, 0.9, path), region=replace(made.region, scores=scores))


@pytest.mark.parametrize(
    ("found", "layer"),
    [
        (garment("longsleeve"), "top"),
        (garment("Coat"), "outer"),
        (garment("pants", layer="top"), "trousers"),  # its name counts, not the scores
        (garment("top"), "top"),
        (garment("upper body", path=LONGSLEEVE), "top"),
        (garment("upper body", path=COAT), "outer"),
        (garment("upper body", layer="dress"), "dress"),
        (garment(UNKNOWN, path=COAT, layer="shoes"), "shoes"),
        (garment(UNKNOWN), ""),
    ],
)
def test_layers(found, layer):
    assert layer_of(found) == layer


@pytest.mark.parametrize(
    ("name", "worn", "expected"),
    [
        ("top", "t-shirt", True),
        ("upper body", "t-shirt", True),
        ("top", "outwear", False),
        ("lower body", "t-shirt", False),
        ("t-shirt", "t-shirt", False),
        (UNKNOWN, "t-shirt", False),
    ],
)
def test_general_names(name, worn, expected):
    assert is_general(garment(name), worn) == expected


def test_the_largest_garment_on_the_body_part_stands_for_a_class():
    small, large = garment("longsleeve"), garment("top", box=(0, 0, 30, 30))
    trousers = garment("pants", box=(0, 0, 90, 90))
    assert predicted("t-shirt", [small, large, trousers]) is large
    assert predicted("pants", [small, large, trousers]) is trousers
    assert predicted("hat", [small, large, trousers]) is None
    assert predicted("hat", [small, large], single=True) is large


def test_wearers_are_counted_once():
    one, other = (Person(np.array([0, 0, 9, 9], np.float32)) for _ in range(2))
    garments = [
        replace(made := make.garment(), region=replace(made.region, wearer=wearer))
        for wearer in (one, other, None, one)
    ]
    assert wearers(garments) == [one, other]


def test_tables_and_files(tmp_path):
    assert (
        markdown(("a", "b"), [("x", 0.5), (None, 3)])
        == "| a | b |\n|---|---|\n| x | 0.50 |\n|  | 3 |"
    )
    answers.write_figures(tmp_path / "a.json", {"x": 1})
    assert (tmp_path / "a.json").read_text() == '{\n "x": 1\n}\n'
    with pytest.raises(SinkError, match="cannot write"):
        answers.write_figures(tmp_path / "no" / "a.json", {})
