"""Labels from a locator's scores, alone or fused with a classifier's probabilities."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.errors import UsageError
from preprocessing.labels import LAYERS
from realtime.analysis.fusion import FusedClassifier, LocatorScores, load_fused
from realtime.analysis.tracks import TrackManager
from realtime.types import Region
from training.inference.detector import Detections
from training.inference.label_fusion import FUSION, FusionWeights, fused_detections
from training.inference.pose import LIMB_ODDS, LimbOdds
from training.inference.weights import WEIGHTS_DIR, WeightsInfo, locate

CLASSES = ("hat", "shoe", "bag")
INFO = WeightsInfo(
    name="toy", network="yolo26n", classes=CLASSES, network_input="letterbox", size=64, channels=3,
    mean=(0.0,) * 3, std=(1.0,) * 3, temperature=1.0, task="detect", confidence=0.25,
)  # fmt: skip
LAYERED = replace(INFO, name="parser", classes=LAYERS, task="parse")
IMAGE = np.zeros((96, 128, 3), np.uint8)
BOX = np.array([0, 0, 8, 8], np.float32)
COMMITTED = {
    "weights": FUSION.read(WEIGHTS_DIR / "photo", WEIGHTS_DIR / "parser"),
    "limbs": LIMB_ODDS.read(WEIGHTS_DIR / "parser"),
}


class FixedClassifier:
    """Gives every region the same probabilities."""

    def __init__(self, classes, probabilities):
        self.info = replace(INFO, name="toy-photo", classes=classes)
        self._row = np.array(probabilities, np.float32)

    def __call__(self, image, regions):
        return np.tile(self._row, (len(regions), 1))


def scored(*scores):
    return Region.from_box(BOX, np.array(scores, np.float32))


def of_layer(layer, score):
    """A region with a score of one layer, the rest divided equally among the others."""
    scores = np.full(len(LAYERS), (1 - score) / (len(LAYERS) - 1), np.float32)
    scores[LAYERS.index(layer)] = score
    return Region.from_box(BOX, scores)


def label(classifier, region):
    (row,) = classifier(IMAGE, [region])
    assert row.sum() == pytest.approx(1)
    return classifier.info.classes[row.argmax()]


def test_scores_become_probabilities():
    classifier = LocatorScores(INFO)
    regions = [scored(0.9, 0.05, 0.0), scored(0.1, 0.4, 0.3)]
    rows = classifier(IMAGE, regions)
    assert rows.sum(axis=1) == pytest.approx([1, 1])
    assert rows[0].argmax() == 0 and rows[0, 0] == pytest.approx(0.9, abs=0.03)
    assert classifier(IMAGE, []).shape == (0, 3)
    track = TrackManager(CLASSES, threshold=0.3)(regions[1:])[0]
    track.vote(rows[1])
    assert track.garment().label.name == "shoe"
    assert track.garment().label.probability < 0.6  # an uncertain box stays uncertain


@pytest.mark.parametrize(
    ("probabilities", "layer", "score", "name"),
    [
        ([0.4, 0.2, 0.4], "top", 0.9, "t-shirt"),
        ([0.4, 0.2, 0.4], "trousers", 0.9, "pants"),
        ([0.1, 0.8, 0.1], "top", 0.6, "longsleeve"),  # the layer does not decide on sleeves
        ([0.02, 0.03, 0.95], "top", 0.4, "pants"),  # a certain classifier, an uncertain layer
        ([0.5, 0.3, 0.2], "bag", 0.9, "bag"),  # no class of the classifier
    ],
)
def test_layer_and_classifier_are_fused(probabilities, layer, score, name):
    classifier = FixedClassifier(("t-shirt", "longsleeve", "pants"), probabilities)
    fused = FusedClassifier(LAYERED, classifier, **COMMITTED)
    assert label(fused, of_layer(layer, score)) == name
    assert fused(IMAGE, []).shape == (0, len(fused.info.classes))


def test_a_worn_garment_s_sleeves_are_labelled_by_bare_arms():
    classifier = FixedClassifier(("t-shirt", "longsleeve", "pants"), [0.1, 0.1, 0.8])
    fused, lying = FusedClassifier(LAYERED, classifier, **COMMITTED), of_layer("top", 0.6)
    assert label(fused, replace(lying, bare=0.3)) == "t-shirt"
    assert label(fused, replace(lying, bare=0.02)) == "longsleeve"


def test_neutral_numbers_ignore_limbs():
    classifier = FixedClassifier(("t-shirt", "longsleeve"), [0.4, 0.6])
    fused = FusedClassifier(LAYERED, classifier, weights=FusionWeights(), limbs=LimbOdds())
    top = of_layer("top", 0.9)
    rows = fused(IMAGE, [top, replace(top, bare=0.3, limbs={"forearms": 0.0})])
    assert np.array_equal(rows[0], rows[1])


def test_a_detector_s_boxes_are_labelled_as_in_its_evaluation():
    region, probabilities = scored(0.1, 0.4, 0.3), np.array([[0.2, 0.1, 0.7]], np.float32)
    weights = FusionWeights(lying=(0.7, 0.3))
    found = Detections(region.box[None], region.scores[None])
    evaluated = fused_detections(found, probabilities, weights)
    scores = dict(zip(evaluated.labels.tolist(), evaluated.confidences.tolist(), strict=True))
    classifier = FixedClassifier(CLASSES, probabilities[0])
    (live,) = FusedClassifier(INFO, classifier, weights=weights, limbs=LimbOdds())(IMAGE, [region])
    assert live == pytest.approx([scores[k] / sum(scores.values()) for k in range(3)], abs=1e-5)


def test_a_region_of_no_layer_is_other():
    fused = FusedClassifier(
        LAYERED, FixedClassifier(("t-shirt", "pants", "other"), [0.1, 0.1, 0.8]), **COMMITTED
    )
    garment = of_layer("top", 0.95)
    background = replace(garment, scores=0.2 * garment.scores)
    assert label(fused, background) == "other" and label(fused, garment) == "t-shirt"


def test_classes_that_the_locator_does_not_find_are_refused():
    classifier = FixedClassifier(("t-shirt", "hat", "Coat"), [0.3, 0.3, 0.4])
    with pytest.raises(UsageError, match="toy-photo's t-shirt, Coat is none of them"):
        FusedClassifier(INFO, classifier, weights=FusionWeights(), limbs=LimbOdds())


def test_committed_pairs_have_fitted_numbers(caplog):
    for model, locator in (("photo", "parser"), ("yolo-names", "yolo")):
        located = locate(locator)[1]
        located = replace(located, classes=LAYERS) if locator == "parser" else located
        classifier = FixedClassifier(locate(model)[1].classes, [0.1])
        load_fused(classifier, located, model=model, locator=locator)
    assert not caplog.records
    classifier = FixedClassifier(located.classes, [0.1])
    load_fused(classifier, located, model="deep", locator="yolo")
    assert "realtime.fitting.fusion_weights" in caplog.text
