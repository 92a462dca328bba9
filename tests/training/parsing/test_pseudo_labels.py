"""Pseudo-labels, which tags and boxes check."""

from pathlib import Path

import cv2
import numpy as np
import people
import pytest

from preprocessing.datasets.masked_photos import photos_with_masks
from preprocessing.datasets.parsed_people import read_mask_labels
from preprocessing.errors import DataError
from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, mask_table
from preprocessing.labels import LAYERS
from training.parsing.pseudo_labels import (
    Evidence,
    both_ways,
    main,
    pseudo_labels,
    tagged_photos,
    write_names,
)

TOP, OUTER, DRESS, TROUSERS, BAG = (
    LAYERS.index(name) for name in ("top", "outer", "dress", "trousers", "bag")
)


def expected(*patches):
    """Probabilities of background 0.9, and of (class, x1, y1, x2, y2, probability)."""
    planes = np.zeros((len(CLASSES), 80, 80), np.float32)
    planes[0] = 0.9
    for label, x1, y1, x2, y2, probability in patches:
        planes[0, y1:y2, x1:x2] = 0.03
        planes[label, y1:y2, x1:x2] = probability
    return planes


def test_what_tags_rule_out_is_unknown():
    planes = expected((FIRST + TOP, 10, 10, 50, 50, 0.8), (FIRST + DRESS, 10, 50, 50, 54, 0.8))
    classes = pseudo_labels(planes, Evidence(Path("a.jpg"), (TOP,)))
    assert (classes[10:50, 10:50] == FIRST + TOP).all()
    assert (classes[50:54, 10:50] == UNKNOWN_PIXEL).all()
    assert classes[70, 70] == 0


def test_what_is_named_and_not_found_is_unknown():
    planes = expected((FIRST + TOP, 10, 10, 50, 50, 0.8))
    planes[FIRST + BAG, 60:64, 10:20] = 0.2
    classes = pseudo_labels(planes, Evidence(Path("a.jpg"), (TOP, BAG)))
    assert (classes[60:64, 10:20] == UNKNOWN_PIXEL).all() and classes[70, 70] == 0


def test_boxes_bound_their_layers():
    planes = expected((FIRST + TOP, 10, 10, 50, 54, 0.8))
    boxes = np.array([[0.125, 0.125, 0.625, 0.625], [0.75, 0.75, 0.8, 0.8]], np.float32)
    classes = pseudo_labels(planes, Evidence(Path("a.jpg"), (TOP, BAG), boxes))
    assert (classes[10:50, 10:50] == FIRST + TOP).all()
    assert (classes[50:54, 10:50] == UNKNOWN_PIXEL).all()
    assert (classes[60:64, 60:64] == UNKNOWN_PIXEL).all()  # a bag that was not found


@pytest.mark.parametrize(
    "patches",
    [
        [],  # nobody
        [(FIRST + DRESS, 10, 10, 50, 50, 0.8), (FIRST + TOP, 60, 10, 70, 50, 0.8)],  # too little
    ],
)
def test_photos_of_no_use_are_left_out(patches):
    assert pseudo_labels(expected(*patches), Evidence(Path("a.jpg"), (TOP,))) is None


def test_an_image_and_its_mirror_are_averaged():
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, :8] = 255

    def parse(shown):
        return (shown[..., 0] / 255.0)[None].astype(np.float32) * [[[1.0]], [[0.5]]]

    planes = both_ways(parse, image)
    assert planes.shape == (2, 8, 16)
    assert (planes[0, :, :8] == 1).all() and (planes[1, :, 8:] == 0).all()


def test_tags_are_layers(tmp_path):
    rows = "path,tags\na.jpg,jeans|skin|sweater\nb.jpg,romper|shoes\nc.jpg,suit|hair\n"
    (tmp_path / "tags.csv").write_text(rows)
    first, second = tagged_photos(tmp_path)
    assert first.path == tmp_path / "a.jpg" and first.layers == (TOP, TROUSERS)
    assert second.layers == (OUTER, TROUSERS)
    (tmp_path / "tags.csv").write_text("photo,words\n")
    (tmp_path / "tags.csv").write_text("photo,words\na,b\n")
    with pytest.raises(DataError, match="wanted path,tags"):
        list(tagged_photos(tmp_path))


def test_the_names_of_numbers_mean_the_classes(tmp_path):
    write_names(tmp_path)
    table = mask_table(read_mask_labels(tmp_path))
    assert table[: len(CLASSES)].tolist() == list(range(len(CLASSES)))
    assert table[UNKNOWN_PIXEL] == UNKNOWN_PIXEL


def test_the_command_writes_photos_with_masks(run, tmp_path, monkeypatch, capsys):
    image, mask = people.person(np.random.default_rng(0))
    cv2.imwrite(str(tmp_path / "a.jpg"), image)
    (tmp_path / "tags.csv").write_text("path,tags\na.jpg,t-shirt|jeans\n")
    planes = np.array([0, 1, FIRST + TOP, FIRST + TROUSERS])[mask] == np.arange(11)[:, None, None]
    monkeypatch.setattr("training.parsing.pseudo_labels.both_ways",
                        lambda parse, image: planes.astype(np.float32))  # fmt: skip
    flags = ["--teacher", str(run / "parser.onnx"), "--out", str(tmp_path / "out")]
    assert main(["--tagged", str(tmp_path), *flags]) == 0
    assert "wrote 1 photos" in capsys.readouterr().out
    (photo,) = [one for split in photos_with_masks(tmp_path / "out").values() for one in split]
    assert set(np.unique(photo.read()[1])) == {0, 1, FIRST + TOP, FIRST + TROUSERS}
    assert main(flags) == 2 and "give --tagged or --boxed" in capsys.readouterr().err
