"""Garments cut out of labelled clips: which label a region takes."""

from collections import Counter

import pytest

from preprocessing.errors import DataError
from preprocessing.samples import INDEX, Sample, write_csv
from realtime.clip_crops import COPIES, _label, beside


@pytest.mark.parametrize(
    ("layer", "kinds", "label"),
    [
        ("top", ("longsleeve", "pants"), "longsleeve"),
        ("outer", ("longsleeve", "pants"), "longsleeve"),  # the parser muddles these two
        ("dress", ("t-shirt",), "t-shirt"),
        ("trousers", ("longsleeve", "pants"), "pants"),
        ("skirt", ("pants",), "pants"),
        ("top", ("pants",), ""),
        ("top", ("t-shirt", "outwear"), ""),  # which of them, nobody says
        ("shoes", ("shoes",), "shoes"),
        ("bag", ("t-shirt",), ""),
    ],
)
def test_labels_of_layers(layer, kinds, label):
    assert _label(layer, kinds) == label


def test_beside_a_data_set_they_are_learnt_often_and_it_is_rehearsed(tmp_path):
    known = [Sample(tmp_path / f"{k}.jpg", "dress", "p", "training") for k in range(9)]
    known += [Sample(tmp_path / "v.jpg", "dress", "q", "validation")]
    write_csv(tmp_path / INDEX, known)
    new = Sample(tmp_path / "new.jpg", "longsleeve", group="hoodie")
    found = beside([new], tmp_path)
    counts = Counter((sample.label, sample.split) for sample in found)
    assert counts[("dress", "training")] == 3 and counts[("dress", "validation")] == 1
    assert counts[("longsleeve", "training")] == COPIES
    with pytest.raises(DataError, match="build_dataset"):
        beside([new], tmp_path / "none")
