"""Pictures with their labels, transformed together, and their splits."""

import shutil

import numpy as np
import pytest
from fashion import SPLITS

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import POINTS, read_benchmark
from preprocessing.errors import DataError
from training.deepfashion.data import (
    MIRRORED,
    FashionDataset,
    FashionSubset,
    clip_box,
    crop_and_mirror,
    fit_baseline,
    open_splits,
)
from training.deepfashion.settings import FASHION_MODELS, FashionFitSettings


def test_boxes_are_clipped_to_a_pixel_at_least():
    box = clip_box(np.float32((50, 70, -5, 20)), width=40, height=60)
    assert box.tolist() == [0, 20, 40, 60]
    box = clip_box(np.float32((90, 9, 95, 9)), width=40, height=60)
    assert box.tolist() == [39, 9, 40, 10]


def test_crops_keep_the_box_and_mirrors_exchange_the_landmarks():
    image = np.zeros((60, 50, 3), np.uint8)
    image[20:40, 10:30] = 255
    points = np.full((POINTS, 2), np.nan, np.float32)
    points[0] = (10, 20)
    sides, widths = set(), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        view, box, found = crop_and_mirror(image, np.float32((10, 20, 30, 40)), points, rng)
        x1, y1, x2, y2 = box.astype(int)
        assert (view[y1:y2, x1:x2] == 255).all() and (x2 - x1, y2 - y1) == (20, 20)
        mirrored = np.isfinite(found[1]).all()
        assert np.isfinite(found[1 if mirrored else 0]).all()
        assert found[1 if mirrored else 0].tolist() == [x2 if mirrored else x1, y1]
        sides.add(bool(mirrored))
        widths.append(view.shape[1])
    assert sides == {True, False}
    assert min(widths) < image.shape[1] < max(widths)
    assert [MIRRORED[k] for k in MIRRORED] == list(range(POINTS))


def test_an_unreadable_picture_has_no_labels(data, tmp_path):
    benchmark = read_benchmark(data)
    path = benchmark.paths[0]
    whole = path.read_bytes()
    dataset = FashionDataset(FashionSubset(benchmark, np.array([0]), 32), augmented=False)
    _, labels = dataset[0]
    assert labels["box"].isfinite().all() and labels["category"] >= 0
    try:
        path.write_bytes(b"no picture")
        image, missing = dataset[0]
    finally:
        path.write_bytes(whole)
    assert image.shape == (3, 32, 32) and not image.any()
    assert missing.keys() == labels.keys() and missing["box"].isnan().all()
    assert missing["category"] == MISSING and (missing["has"] == MISSING).all()


@pytest.mark.usefixtures("no_worker")
def test_batches_of_all_pictures_in_order(data):
    benchmark = read_benchmark(data)
    subset = FashionSubset(benchmark, np.arange(5), 32)
    (batch,) = subset.loader()
    images, labels = batch
    assert images.shape == (5, 3, 32, 32)
    assert labels["category"].tolist() == benchmark.categories[:5].tolist()


def settings(data):
    return FashionFitSettings(model="deepfashion", recipe=FASHION_MODELS["deepfashion"], data=data)


def test_the_official_splits_of_present_pictures(data, tmp_path):
    splits = open_splits(settings(data))
    counts = [len(part) for part in (splits.training, splits.validation, splits.test)]
    assert counts == list(SPLITS.values()) and splits.absent == 0
    folder = tmp_path / "few"
    shutil.copytree(data, folder)
    for path in folder.glob("img/*_val*/*"):
        path.unlink()
    splits = open_splits(settings(folder))
    assert splits.absent == SPLITS["val"]
    assert len(splits.training) + len(splits.validation) == SPLITS["train"]
    shutil.rmtree(folder / "img")
    with pytest.raises(DataError, match="0 training pictures are there"):
        open_splits(settings(folder))


def test_the_baseline_is_the_mean_box(data):
    baseline = fit_baseline(open_splits(settings(data)).training)
    x1, y1, x2, y2 = baseline.box
    assert 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1 and len(baseline.modes) == 0
