"""Materials read from folders: who is in which split."""

import cv2
import numpy as np
import people
import pytest

from preprocessing.errors import DataError
from preprocessing.synthesis.people.materials import MaterialFolders, read_materials


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("materials")
    (root / "grounds").mkdir()
    cv2.imwrite(str(root / "grounds" / "a.png"), np.zeros((40, 50, 3), np.uint8))
    return MaterialFolders(
        parsed=people.folder(root / "parsed"),
        photos=people.garments(root),
        pseudo=[people.folder(root / "pseudo", count=3)],
        frames=[people.folder(root / "frames", count=2)],
        backgrounds=root / "grounds",
    )


def test_pseudo_labels_are_for_training_alone(folders):
    found = read_materials(folders, seed=0)
    training, validation = found["training"], found["validation"]
    assert (len(training.people), len(training.frames)) == (13 + 3, 2)
    assert (len(validation.people), len(validation.frames)) == (1, 0)
    assert [one.exact for one in training.people] == [True] * 13 + [False] * 3
    assert training.garments == training.upper and len(training.grounds) == 1


def test_a_folder_without_grounds_is_refused(folders, tmp_path):
    empty = MaterialFolders(parsed=folders.parsed, photos=folders.photos, backgrounds=tmp_path)
    with pytest.raises(DataError, match="no pictures in --backgrounds"):
        read_materials(empty, seed=0)
