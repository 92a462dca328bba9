"""Scores of taught garments: what counts as named, and what as another garment's loss."""

import make
import numpy as np
import photos
import pytest

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError, UsageError
from realtime.bench import wardrobe
from realtime.bench.wardrobe import (
    Score,
    WardrobeSettings,
    WornGarment,
    largest,
    read_worn,
    score_photos,
    score_worn,
)


class App:
    """Names every picture by the mean of its pixels, which is its garment's number times ten."""

    def __init__(self, before="Dress"):
        self._before, self.learnt, self.describe = before, {}, self

    def prototypes(self, image, region):
        return np.array([[image.mean()]])

    def learn(self, pictures):
        self.learnt = pictures

    def before(self, image):
        return [make.garment(self._before, box=(1, 2, 11, 22))]

    def after(self, image):
        for name, features in self.learnt.items():
            if abs(np.mean(features) - image.mean()) < 1:
                return [make.garment(name)]
        return self.before(image)


def sample(level, label="dress"):
    return Sample(level, label)


@pytest.fixture
def plain(monkeypatch):
    """Photos are grey pictures of a level, and views are like them."""
    monkeypatch.setattr(wardrobe, "read_picture", lambda level: np.full((30, 40, 3), level))
    monkeypatch.setattr(
        wardrobe, "views",
        lambda sample, change, count, seed: [np.full((30, 40, 3), sample.path)] * count,
    )  # fmt: skip


def test_pictures_of_taught_and_other_garments_are_counted(plain):
    settings = WardrobeSettings(photos="photos", garments=2, others=4)
    samples = [sample(10), sample(20), sample(20), sample(10, "skirt"), sample(90), sample(91)]
    again, elsewhere = score_photos(samples, App(), lambda image: None, settings=settings)
    assert (again.asked, again.named, elsewhere.asked, elsewhere.named) == (10, 10, 10, 10)
    # Two others look like taught ones; one of these was a dress before, the other was wrong anyway.
    assert (again.others, again.taken, again.lost) == (4, 2, 1)
    assert again.row() == (
        "photos, again", "100.0 % (10 of 10)", "50.0 % (2 of 4)", "25.0 % (1 of 4)"
    )  # fmt: skip


def test_without_pictures_there_is_no_figure():
    assert Score("clips").row() == ("clips", "", "", "")


def test_a_garment_of_one_clip_is_asked_for_in_another(monkeypatch):
    levels = {"a": [10] * 4, "b": [10, 50], "c": [10], "d": [70]}
    looks = {clip: [np.full((9, 9, 3), level) for level in of] for clip, of in levels.items()}
    monkeypatch.setattr(wardrobe, "_looks", looks.__getitem__)
    worn = [WornGarment("red shirt", "upper", ("a", "b")), WornGarment("blue", "upper", ("c", "d"))]
    monkeypatch.setattr(wardrobe, "layer_of", lambda garment: "top")
    found = score_worn(worn[:1], App())
    assert (found.asked, found.named, found.others, found.taken) == (2, 1, 6, 0)
    mixed = score_worn(worn, App())
    assert mixed.taken == 1  # "c" shows what looks like the red shirt


def test_the_largest_garment_of_a_part_is_meant():
    small, large = (
        make.garment("pants", box=(0, 0, 9, 9)),
        make.garment("shirt", box=(0, 0, 20, 20)),
    )
    assert largest([small, large]) is large and largest([small, large], "lower") is small
    assert largest([], "upper") is None


def test_worn_garments_are_read_in_order(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    index = tmp_path / "index.csv"
    index.write_text("file,garment,part\nb.mp4,hoodie,upper\na.mp4,hoodie,upper\n")
    assert read_worn(index) == [
        WornGarment("hoodie", "upper", (tmp_path / "b.mp4", tmp_path / "a.mp4"))
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,garment\na.mp4,hoodie\n", "part"),
        ("file,garment,part\na.mp4,hoodie,upper\n", "two clips"),
        ("file,garment,part\na.mp4,hoodie,arm\na.mp4,hoodie,arm\n", "upper or lower"),
        ("file,garment,part\na.mp4,hoodie,upper\nb.mp4,hoodie,upper\n", "b.mp4"),
    ],
)
def test_a_wrong_list_of_clips_is_an_error(tmp_path, text, message):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_worn(tmp_path / "index.csv")


def test_something_must_be_scored():
    with pytest.raises(UsageError, match="--photos"):
        WardrobeSettings()


def test_views_are_the_same_for_a_seed(tmp_path):
    path = photos.folder(tmp_path / "photos", each=1) / "band" / "00.png"
    first, again = (
        list(wardrobe.views(Sample(path, "dress"), wardrobe.AGAIN, 2, seed=3)) for _ in range(2)
    )
    assert (first[0] == again[0]).all() and (first[0] != first[1]).any()
