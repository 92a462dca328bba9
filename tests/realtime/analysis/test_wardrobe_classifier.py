"""Taught garments in the app: their names, and that all others stay as they are."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from realtime.analysis import wardrobe_classifier
from realtime.analysis.engines import RememberingEngine
from realtime.analysis.wardrobe_classifier import (
    FeatureClassifier,
    WardrobeClassifier,
    can_be_taught,
    load_feature_classifier,
)
from realtime.types import Region
from training.inference.embedding import Decision, EmbeddingSpace, write_space
from training.inference.wardrobe import Wardrobe
from training.inference.weights import locate

SIZE = 4  # pixels of a crop
RED, GREEN, BLUE = np.eye(3, dtype=np.float32)


class ColourNetwork:
    """Features are the garment's mean colour, twice; the logits favour the first class."""

    def __call__(self, batch):
        masks = batch[:, 3:] / np.float32(255)
        colours = (batch[:, :3] * masks).sum(axis=(2, 3)) / masks.sum(axis=(2, 3))
        logits = np.tile(np.array([1, 0, 0], np.float32), (len(batch), 1))
        return np.concatenate([logits, colours, colours], axis=1)


@pytest.fixture
def described(tmp_path):
    """A classifier of the classes top, pants and other, by colours."""
    stem = tmp_path / "net"
    stem.with_suffix(".onnx").write_bytes(b"weights")
    background = np.tile(np.ones(3, np.float32) / np.sqrt(6), (9, 2))
    mean, axes = np.zeros(6, np.float32), np.eye(3)
    write_space(EmbeddingSpace(mean, axes, axes, background, Decision(40.0, 12.0)), stem)
    info = replace(
        locate("photo")[1], name="net", classes=("top", "pants", "other"), size=SIZE, temperature=1
    )
    return FeatureClassifier(stem, info, RememberingEngine(ColourNetwork(), 3))


def picture(*colours):
    """Squares of colours side by side, BGR uint8, and a region for each."""
    image = np.concatenate(
        [np.tile((200 * colour).astype(np.uint8), (20, 20, 1)) for colour in colours], axis=1
    )
    boxes = [np.array([20 * n, 0, 20 * n + 20, 20], np.float32) for n in range(len(colours))]
    return image, [Region.from_box(box) for box in boxes]


def taught(described, **garments):
    """A classifier to which colours were taught by names."""
    classifier = WardrobeClassifier(described, described, described.wardrobe(None))
    for name, colour in garments.items():
        image, (region,) = picture(colour)
        classifier = classifier.taught(name, image, region)
    return classifier


def test_an_empty_wardrobe_changes_nothing(described):
    image, regions = picture(RED, BLUE)
    classifier = taught(described)
    assert classifier.info.classes == described.info.classes
    assert (classifier(image, regions) == described(image, regions)).all()


def test_a_new_name_is_a_class_and_others_stay_as_they_are(described):
    classifier = taught(described, jumper=RED)
    assert classifier.info.classes == ("top", "pants", "other", "jumper")
    image, regions = picture(GREEN, RED)
    found = classifier(image, regions)
    assert found.dtype == np.float32 and found.sum(axis=1) == pytest.approx([1, 1])
    assert found[0, :3] == pytest.approx(described(image, regions)[0]) and found[0, 3] == 0
    assert found[1, 3] > 0.95


def test_a_class_is_corrected(described):
    classifier = taught(described, pants=RED)
    image, regions = picture(RED)
    assert classifier.info.classes == described.info.classes
    assert classifier(image, regions)[0].argmax() == 1
    assert described(image, regions)[0].argmax() == 0


def test_what_two_names_have_alike_keeps_its_class(described):
    image, regions = picture(RED)
    classifier = taught(described, one=RED, two=RED)
    assert classifier(image, regions)[0].argmax() == 0


def test_a_frame_without_garments_has_no_rows(described):
    classifier = taught(described, jumper=RED)
    assert classifier(picture(RED)[0], []).shape == (0, 4)


def test_the_classifier_before_is_not_changed(described):
    first = taught(described, jumper=RED)
    image, regions = picture(BLUE)
    second = first.taught("jeans", image, regions[0])
    assert first.wardrobe.counts == {"jumper": 1}
    assert second.wardrobe.counts == {"jumper": 1, "jeans": 1}


def test_a_wardrobe_is_read_or_carried_on(described, tmp_path):
    wardrobe = taught(described, jumper=RED).wardrobe
    path = tmp_path / "wardrobe.npz"
    assert described.wardrobe(path, missing_ok=True).counts == {}
    with pytest.raises(WeightsError, match="no wardrobe"):
        described.wardrobe(path)
    wardrobe.write(path)
    assert described.wardrobe(path).counts == described.wardrobe(None, like=wardrobe).counts
    other = Wardrobe("other", "0" * 64, wardrobe.names, wardrobe.features)
    assert described.wardrobe(None, like=other).counts == {}


def test_only_models_with_an_embedding_can_be_taught(monkeypatch):
    assert can_be_taught("photo", "torch") and not can_be_taught("deep", "openvino")
    monkeypatch.setattr(wardrobe_classifier, "find_spec", lambda name: None)
    assert can_be_taught("photo", "openvino") and not can_be_taught("photo", "torch")
    with pytest.raises(WeightsError, match="cannot be taught to deep"):
        load_feature_classifier("deep", engine="openvino", threads=1)


def test_a_name_that_is_none_is_refused(described):
    image, regions = picture(RED)
    with pytest.raises(UsageError, match="1 to 40 characters"):
        taught(described).taught(" ", image, regions[0])
