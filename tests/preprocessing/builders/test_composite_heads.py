"""Composites of lying garments and heads: the heads, their place, and what remains visible."""

import cv2
import numpy as np
import pytest

from preprocessing.builders import composite_heads
from preprocessing.builders.composite_heads import SIDE, UPPER, composite, composite_garments
from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError
from preprocessing.images.regions import Region
from preprocessing.synthesis.people.heads import HEAD, read_heads

NAMES = {0: "null", 19: "hair", 41: "skin", 51: "t-shirt", 31: "pants"}
HAIR, SKIN, SHIRT = (0, 160, 0), (0, 200, 0), (160, 0, 0)  # BGR


def person(folder, name, *, hair=True):
    """A street photo: hair from row 20, skin below it, a T-shirt from row 80, its neck in skin."""
    mask = np.zeros((200, 120), np.uint8)
    mask[80:160, 20:100] = 51
    mask[45:95, 50:70] = 41
    if hair:
        mask[20:60, 45:75] = 19
    image = np.full((200, 120, 3), 200, np.uint8)
    for value, colour in ((51, SHIRT), (41, SKIN), (19, HAIR)):
        image[mask == value] = colour
    cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), image)
    cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)


@pytest.fixture
def parsed(tmp_path):
    """Eight photos, six of them to train on; of those one shows hair."""
    folder = tmp_path / "parsed"
    for name in ("photos", "masks"):
        (folder / name).mkdir(parents=True)
    rows = "".join(f"{number},{name},1\n" for number, name in NAMES.items())
    (folder / "labels.csv").write_text("id,name,photos\n" + rows)
    for name in "abcdefgh":
        person(folder, name, hair=name in "agh")
    return folder


def test_heads_of_training_photos_that_show_hair(parsed):
    (head,) = read_heads(parsed)
    assert head.chin == 60  # from the hair's upper end to the collar
    assert head.mask.shape == head.image.shape[:2] == (75, 44)  # a quarter of it below the collar
    assert head.mask[70, 22] == 255 and head.mask[70, 5] == 0  # the neck, not the shirt
    assert {"hair", "skin"} <= HEAD


def test_the_head_is_on_the_collar(parsed):
    (head,) = read_heads(parsed)
    garment = np.full((100, 80, 3), (0, 0, 220), np.uint8)
    region = Region.from_box(np.array([10, 10, 70, 90], np.float32))
    background = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture = composite(head, garment, region, background=background, rng=np.random.default_rng(0))
    green, red = (picture[..., channel].astype(int) > 90 + picture[..., 0] for channel in (1, 2))
    assert (background == 255).all()  # not changed
    assert 0.02 < (green & ~red).mean() < 0.2 and 0.3 < (red & ~green).mean() < 0.7
    rows = [np.flatnonzero((cover).any(axis=1)).mean() for cover in (green & ~red, red & ~green)]
    assert rows[0] < rows[1]


def test_upper_garments_alone_keep_their_labels_and_senders(parsed, tmp_path, monkeypatch):
    monkeypatch.setattr(composite_heads, "process_pool", _Here)
    image = np.full((120, 120, 3), 240, np.uint8)
    image[30:90, 35:85] = (20, 20, 160)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    flat = [Sample(tmp_path / "a.png", label, group="7") for label in ("longsleeve", "pants")]
    (found,) = composite_garments(flat, tmp_path / "out", parsed=parsed, backgrounds=None)
    assert (found.label, found.group) == ("longsleeve", "7") and "pants" not in UPPER
    assert cv2.imread(str(found.path)) is not None


def test_photos_without_a_head_are_refused(parsed, tmp_path):
    person(parsed, "a", hair=False)
    flat = [Sample(tmp_path / "a.png", "dress")]
    with pytest.raises(DataError, match="shows hair above a collar"):
        list(composite_garments(flat, tmp_path / "out", parsed=parsed, backgrounds=None))


class _Here:
    """A pool that works in this process."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, function, values, chunksize):
        return map(function, values)
