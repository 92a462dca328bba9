"""Labelled photos: which are read, what their labels mean, which garments are found."""

import argparse

import cv2
import numpy as np
import pytest

from preprocessing.datasets.samples_and_splits import INDEX, Sample, write_csv
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.images.regions import Region
from realtime.analysis.segmenter_locator import EmptyLocator, UnscoredLocator
from realtime.fitting.labelled_photos import (
    LabelledGarment,
    add_flags,
    boxed_garments,
    found_garments,
    photos_of,
    single_garments,
)

LOW, CORNER = np.array([2, 2, 6, 7], np.float32), np.array([0, 0, 3, 3], np.float32)


class Middle(UnscoredLocator):
    def __call__(self, image):
        return [Region.from_box(np.array([2, 2, 6, 6], np.float32))]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "images" / "val" / "a.png"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    return path


@pytest.mark.parametrize(
    ("locator", "garments", "labels"),
    [
        (EmptyLocator(), [LabelledGarment("t-shirt")], []),
        (Middle(), [LabelledGarment("t-shirt")], ["t-shirt"]),
        (Middle(), [LabelledGarment("pants", LOW)], ["pants"]),
        (Middle(), [LabelledGarment("pants", CORNER)], []),
        (Middle(), [LabelledGarment("hat", CORNER), LabelledGarment("pants", LOW)], ["pants"]),
        (Middle(), [], ["other"]),  # background
    ],
)
def test_garments_that_the_locator_finds(photo, locator, garments, labels):
    assert [one.label for one in found_garments([(photo, garments)], locator)] == labels


def test_single_garments_have_the_class_that_their_label_means(photo, tmp_path):
    known = [Sample(photo, "polo", "p", "validation"), Sample(photo, "pants", "q", "training")]
    write_csv(tmp_path / INDEX, known)
    ((path, garments),) = single_garments(tmp_path / INDEX)
    assert path == photo and [one.label for one in garments] == ["t-shirt"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("t-shirt", "pants"), ["pants"]),
        (("t-shirt", "shirt"), ["top"]),  # any top, in photos of people
        (("T-shirt/top", "Shirt"), ["Shirt"]),
        (("t-shirt", "sunglass"), None),  # not a picture without garments
    ],
)
def test_boxes_and_what_their_labels_mean(photo, tmp_path, names, expected):
    write_boxes(photo, [1], np.array([[2, 2, 6, 8]], np.float32), width=8, height=8)
    write_layout(tmp_path / "data.yaml", names)
    (tmp_path / "images" / "train").mkdir()
    found = list(boxed_garments(tmp_path / "data.yaml"))
    if expected is None:
        assert not found
    else:
        ((path, garments),) = found
        assert path == photo and [one.label for one in garments] == expected
        assert garments[0].box == pytest.approx(np.array([2, 2, 6, 8]))


def test_pictures_without_garments_come_last(photo, tmp_path):
    write_csv(tmp_path / INDEX, [Sample(photo, "pants", "p", "validation")])
    arguments = argparse.ArgumentParser()
    add_flags(arguments)
    values = arguments.parse_args(
        ["--photos", str(tmp_path / INDEX), "--empty", str(tmp_path / "images")]
    )
    assert [len(garments) for _, garments in photos_of(values)] == [1, 0]
