"""Garments of labelled clips: the label of a region, and the data sets that are written."""

from collections import Counter
from types import SimpleNamespace

import make
import numpy as np
import pytest

from preprocessing.builders.layer_boxes import boxed_photos
from preprocessing.datasets.samples_and_splits import INDEX, Sample, write_csv
from preprocessing.datasets.yolo_layout import write_layout
from preprocessing.errors import DataError
from preprocessing.images.regions import Region
from preprocessing.labels import LAYERS
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.bench.footage import Footage
from realtime.fitting import crops_from_clips
from realtime.fitting.crops_from_clips import (
    COPIES,
    EVERY,
    KEPT_FRACTION,
    label_of,
    mixed_with,
    write_frames,
)


@pytest.mark.parametrize(
    ("layer", "classes", "label"),
    [
        ("top", ("longsleeve", "pants"), "longsleeve"),
        ("outer", ("longsleeve", "pants"), "longsleeve"),  # the parser confuses these two
        ("dress", ("t-shirt",), "t-shirt"),
        ("trousers", ("longsleeve", "pants"), "pants"),
        ("skirt", ("pants",), "pants"),
        ("top", ("pants",), ""),
        ("top", ("t-shirt", "outwear"), ""),  # ambiguous
        ("shoes", ("shoes",), "shoes"),
        ("bag", ("t-shirt",), ""),
    ],
)
def test_labels_of_layers(layer, classes, label):
    assert label_of(layer, classes) == label


def test_mixed_with_a_data_set_crops_are_repeated(tmp_path):
    known = [Sample(tmp_path / f"{k}.jpg", "dress", "p", "training") for k in range(12)]
    known += [Sample(tmp_path / "v.jpg", "dress", "q", "validation")]
    write_csv(tmp_path / INDEX, known)
    new = Sample(tmp_path / "new.jpg", "longsleeve", group="hoodie")
    found = mixed_with([new], tmp_path)
    counts = Counter((sample.label, sample.split) for sample in found)
    assert (
        counts[("dress", "training")] == 12 // KEPT_FRACTION
        and counts[("dress", "validation")] == 1
    )
    assert counts[("longsleeve", "training")] == COPIES
    with pytest.raises(DataError, match="photo_dataset"):
        mixed_with([new], tmp_path / "none")


class InTheMiddle(UnscoredLocator):
    """A locator that finds one layer in the middle of every frame."""

    info = SimpleNamespace(classes=LAYERS)

    def __init__(self, layer):
        self._scores = np.eye(len(LAYERS), dtype=np.float32)[LAYERS.index(layer)]

    def __call__(self, image):
        height, width = image.shape[:2]
        box = np.array([width / 4, height / 4, width / 2, height], np.float32)
        return [Region.from_box(box, self._scores)]


@pytest.mark.parametrize(
    ("classes", "label", "layer"),
    [(("longsleeve", "pants"), "longsleeve", "top"), (("bag",), "bag", "bag")],
)
def test_frames_have_boxes_of_their_labels_layers(tmp_path, classes, label, layer):
    path = make.clip(tmp_path / "a.mp4", frames=EVERY + 1, size=(160, 120))
    clip = Footage(path, classes)
    samples = list(write_frames(clip, InTheMiddle("bag" if layer == "bag" else "outer"), tmp_path))
    write_layout(tmp_path / "data.yaml", LAYERS)
    frames = list(boxed_photos(tmp_path))
    assert len(frames) == len(samples) == 2 and {s.label for s in samples} == {label}
    assert frames[1].path.stem == f"{path.stem}-{EVERY:05d}"
    for frame in frames:
        assert frame.labels == (LAYERS.index(layer),)
        sides = [frame.width, frame.height] * 2
        assert np.allclose(frame.boxes[0] / sides, [0.25, 0.25, 0.5, 1], atol=1e-5)


def test_frames_are_not_mixed_with_crops(tmp_path, capsys):
    flags = ["--clips", "clips.csv", "--outfit", "a=b", "--out", str(tmp_path)]
    assert crops_from_clips.main([*flags, "--frames", "--mix-with", str(tmp_path)]) == 2
    assert "--mix-with lists crops" in capsys.readouterr().err
