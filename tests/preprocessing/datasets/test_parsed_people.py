"""Photos with masks: the split by blocks of names, masks and their labels."""

import cv2
import numpy as np
import pytest

from preprocessing.datasets.parsed_people import read_mask_labels, read_parsed_people
from preprocessing.errors import DataError


def write_photos(folder, names):
    for part in ("photos", "masks"):
        (folder / part).mkdir()
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), np.zeros((8, 6, 3), np.uint8))
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), np.full((8, 6), value, np.uint8))


@pytest.mark.parametrize(
    ("count", "training", "validation"), [(800, 630, 70), (80, 63, 7), (16, 13, 1), (1, 1, 0)]
)
def test_the_split_is_by_blocks_in_the_order_of_names(tmp_path, count, training, validation):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(count, 0, -1):
        (folder / f"street-{number:04d}.jpg").touch()
    photos = read_parsed_people(tmp_path)
    assert [photo.number for photo in photos] == list(range(1, count + 1))
    assert [photo.split for photo in photos] == [
        *["training"] * training,
        *["validation"] * validation,
        *["test"] * (count - training - validation),
    ]


def test_masks_are_read_with_their_photos(tmp_path):
    write_photos(tmp_path, ["a", "b"])
    masks = [photo.mask() for photo in read_parsed_people(tmp_path)]
    assert [mask.shape for mask in masks] == [(8, 6)] * 2 and masks[1].min() == 1
    (tmp_path / "masks" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.jpg has no mask"):
        read_parsed_people(tmp_path)[0].mask()


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"wanted photos/NAME\.jpg"):
        read_parsed_people(tmp_path)


def test_labels_of_masks(tmp_path):
    (tmp_path / "labels.csv").write_text("id,name,photos\n0,null,3\n41,skin,2\n")
    assert read_mask_labels(tmp_path) == {0: "null", 41: "skin"}
    (tmp_path / "labels.csv").write_text("number,name\n0,null\n")
    with pytest.raises(DataError, match=r"labels\.csv"):
        read_mask_labels(tmp_path)
