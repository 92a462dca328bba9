"""Photos to fit an embedding on: parts by sender, views with their masks, pictures to teach."""

import numpy as np
import photos
import pytest

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError
from preprocessing.images.regions import Region, whole_image
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE
from training.classification import described_garments
from training.classification.described_garments import (
    ASKED,
    PICTURES,
    describe,
    describe_held_out,
    parts,
    uneven,
)


class Describer:
    """Features are the mean of the garment's box, and its area."""

    def __call__(self, image, region):
        x1, y1, x2, y2 = (region or whole_image(image)).window
        return np.array([image[y1:y2, x1:x2].mean(), (x2 - x1) * (y2 - y1)], np.float32)

    def prototypes(self, image, region):
        return np.stack([self(image, region)] * 2)


@pytest.fixture
def samples(tmp_path):
    root = photos.folder(tmp_path / "photos", each=2)
    return [Sample(path, path.parent.name) for path in sorted(root.rglob("*.png"))]


def test_photos_and_their_views_are_described(samples):
    found = describe(samples, Describer(), (AGAIN, ELSEWHERE), title="photos")
    assert found.features.shape == (6 * 3, 2)
    assert found.garments.tolist() == [n for n in range(6) for _ in range(3)]
    assert found.views.tolist() == [0, 1, 2] * 6 and found.photos.sum() == 6
    located = describe(samples, Describer(), (AGAIN,), locate=whole_image, title="photos")
    assert set(located.features[:, 1]) == {64 * 64}


def test_held_out_garments_are_taught_asked_for_and_others(samples, monkeypatch):
    monkeypatch.setattr(described_garments, "HELD_OUT", 2)
    monkeypatch.setattr(described_garments, "OTHERS", 3)
    found = describe_held_out(samples, Describer(), lambda image: None)
    assert [one.shape for one in found.taught] == [(2 * PICTURES, 2)] * 2
    assert len(found.asked.features) == 2 * (1 + len(ASKED)) and found.others.shape == (3, 2)
    again = found.of([n for n, one in enumerate(ASKED, start=1) if one is AGAIN])
    assert len(again.asked.features) == 2 * 5


def test_a_sender_is_in_one_part(tmp_path):
    rows = [f"{n}.jpg,{label},{n % 20}" for n, label in enumerate(["dress", "polo", "body"] * 40)]
    (tmp_path / "index.csv").write_text("path,label,sender\n" + "\n".join(rows))
    found = parts(tmp_path / "index.csv", "sender")
    senders = [{sample.group for sample in found[name]} for name in found]
    assert sum(map(len, senders)) == len(set.union(*senders)) == 20
    assert sum(map(len, found.values())) == 80  # "body" is no garment of the app
    with pytest.raises(DataError, match="no photos of"):
        (tmp_path / "index.csv").write_text("path,label,sender\na.jpg,body,1")
        parts(tmp_path / "index.csv", "sender")


def test_a_mask_is_wrong_by_a_little():
    region = Region(np.array([20, 20, 60, 60], np.float32), np.full((40, 40), 255, np.uint8))
    sides = {
        uneven(region, (80, 80, 3), np.random.default_rng(seed)).mask.shape[0] for seed in range(40)
    }
    assert sides == {34, 36, 38, 40, 42, 44, 46}
