"""Detectors in the live app: regions that know their names, class filter, one line for errors."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from preprocessing.labels import LAYERS
from realtime import assemble, cli
from realtime.analysis import detector_locator
from realtime.analysis.fusion import JointNames, ScoreNames
from realtime.analysis.tracker import Tracker
from realtime.flags import read_settings
from realtime.runtime.stats import Stats
from realtime.settings import DEMO, Recognition
from realtime.sources.open_source import open_source
from realtime.types import UNKNOWN, Region
from training.inference.box_naming import POWERS, named
from training.inference.detection_decoding import Detections
from training.inference.detector import Detector
from training.inference.weights import WeightsInfo, locate

CLASSES = ("hat", "shoe", "bag")
INFO = WeightsInfo(
    name="toy", network="yolo26n", classes=CLASSES, cut="letterbox", size=64, channels=3,
    mean=(0.0,) * 3, std=(1.0,) * 3, temperature=1.0, task="detect", confidence=0.25,
)  # fmt: skip
IMAGE = np.zeros((96, 128, 3), np.uint8)  # twice the network's 64 x 48, padded to 64 x 64


def network(image):
    """A hat of 16 x 16 at (8, 16) of the input's picture, a shoe of 8 x 8 at (40, 24)."""
    assert image.shape == (64, 64, 3)
    output = np.zeros((7, 5), np.float32)
    output[:, 1] = (16, 24 + 8, 16, 16, 0.9, 0.05, 0.0)
    output[:, 3] = (44, 28 + 8, 8, 8, 0.1, 0.4, 0.3)
    output[:, 4] = (10, 10, 8, 8, 0.2, 0.1, 0.1)
    return output


def locator(**flags):
    only = flags.pop("only", ())
    return detector_locator.DetectorLocator(Detector(INFO, network, **flags), only)


def test_regions_are_in_pixels_of_the_frame():
    regions = locator()(IMAGE)
    assert [region.box.tolist() for region in regions] == [[16, 32, 48, 64], [80, 48, 96, 64]]
    assert regions[0].mask.shape == (32, 32) and regions[0].mask.all()
    assert regions[1].scores == pytest.approx([0.1, 0.4, 0.3])


@pytest.mark.parametrize(
    ("flags", "count"),
    [({"confidence": 0.5}, 1), ({"confidence": 0.1}, 3), ({"only": ("shoe",)}, 1),
     ({"only": ("bag",)}, 0)],
)  # fmt: skip
def test_confidence_and_classes_filter(flags, count):
    assert len(locator(**flags)(IMAGE)) == count


def test_an_unknown_class_is_refused():
    with pytest.raises(UsageError, match="does not know sock"):
        locator(only=("sock",))


def test_names_are_probabilities():
    names = ScoreNames(INFO)
    regions = locator()(IMAGE)
    rows = names(IMAGE, regions)
    assert rows.sum(axis=1) == pytest.approx([1, 1])
    assert rows[0].argmax() == 0 and rows[0, 0] == pytest.approx(0.9, abs=0.03)
    assert names(IMAGE, []).shape == (0, 3)
    track = Tracker(CLASSES, threshold=0.3)(regions)[1]
    track.vote(rows[1])
    assert track.garment().label.name == "shoe"
    assert track.garment().label.probability < 0.6  # a doubtful box stays doubtful


def classifier(classes, row):
    """A classifier that is of one opinion about everything."""
    info = replace(INFO, name="toy-photo", classes=classes)

    def opinion(image, regions):
        return np.tile(np.array(row, np.float32), (len(regions), 1))

    opinion.info = info
    return opinion


LAYERED = replace(INFO, name="parser", classes=LAYERS)


def seen(layer, share):
    """A region of a layer, whose rest speaks for all layers alike."""
    scores = np.full(len(LAYERS), (1 - share) / (len(LAYERS) - 1), np.float32)
    scores[LAYERS.index(layer)] = share
    return Region(np.array([0, 0, 8, 8], np.float32), np.full((8, 8), 255, np.uint8), scores)


@pytest.mark.parametrize(
    ("opinion", "layer", "share", "name"),
    [
        ([0.4, 0.2, 0.4], "top", 0.9, "t-shirt"),
        ([0.4, 0.2, 0.4], "trousers", 0.9, "pants"),
        ([0.1, 0.8, 0.1], "top", 0.6, "longsleeve"),  # the layer leaves the sleeves open
        ([0.02, 0.03, 0.95], "top", 0.4, "pants"),  # a sure classifier against a doubtful layer
        ([0.5, 0.3, 0.2], "bag", 0.9, "bag"),  # which the classifier has no word for
    ],
)
def test_layer_and_opinion_together(opinion, layer, share, name):
    names = JointNames(LAYERED, classifier(("t-shirt", "longsleeve", "pants"), opinion))
    (row,) = names(IMAGE, [seen(layer, share)])
    assert names.info.classes[row.argmax()] == name and row.sum() == pytest.approx(1)
    assert names(IMAGE, []).shape == (0, len(names.info.classes))


def test_a_worn_garment_is_named_by_its_layer_and_its_sleeves_by_bare_arms():
    stub = classifier(("t-shirt", "longsleeve", "pants"), [0.1, 0.1, 0.8])  # of lying clothes
    names, lying = JointNames(LAYERED, stub), seen("top", 0.6)

    def name(region):
        return names.info.classes[names(IMAGE, [region])[0].argmax()]

    assert name(lying) != "pants" or name(replace(lying, bare=0.0)) != "pants"
    assert name(replace(lying, bare=0.3)) == "t-shirt"
    assert name(replace(lying, bare=0.02)) == "longsleeve"


def test_a_detectors_boxes_are_named_live_as_they_are_judged():
    (region, opinion) = locator()(IMAGE)[1], np.array([[0.2, 0.1, 0.7]], np.float32)
    judged = named(Detections(region.box[None], region.scores[None]), opinion)
    live = JointNames(INFO, classifier(CLASSES, opinion[0]), lying=POWERS)(IMAGE, [region])[0]
    scores = dict(zip(judged.labels.tolist(), judged.confidences.tolist(), strict=True))
    assert live == pytest.approx([scores[k] / sum(scores.values()) for k in range(3)], abs=1e-5)


def test_what_is_no_garment_for_both_is_other():
    stub = classifier(("t-shirt", "pants", "other"), [0.1, 0.1, 0.8])
    names = JointNames(LAYERED, stub)
    sure = seen("top", 0.95)
    unsure = replace(sure, scores=0.2 * sure.scores)  # mostly ground and people
    assert names.info.classes[names(IMAGE, [unsure])[0].argmax()] == "other"
    assert names.info.classes[names(IMAGE, [sure])[0].argmax()] == "t-shirt"


def test_classes_that_have_nothing_to_do_with_each_other_are_refused():
    with pytest.raises(UsageError, match="toy-photo's t-shirt, Coat is none of them"):
        JointNames(INFO, classifier(("t-shirt", "hat", "Coat"), [0.3, 0.3, 0.4]))


def test_an_outline_in_a_box():
    image = np.full((100, 120, 3), 220, np.uint8)
    cv2.circle(image, (60, 50), 25, (30, 60, 90), cv2.FILLED)
    full = Region(np.array([35, 25, 86, 76], np.float32), np.full((51, 51), 255, np.uint8))
    found = detector_locator.outlined(image, full)
    assert found.mask[25, 25] == 255 and found.mask[1, 1] == 0
    assert np.count_nonzero(found.mask) == pytest.approx(np.pi * 25**2, rel=0.12)
    plain = detector_locator.outlined(np.full((100, 120, 3), 220, np.uint8), full)
    assert plain.mask.all()  # nothing differs: the box stays full


def test_a_classifier_does_not_locate():
    with pytest.raises(WeightsError, match="deep is a classifier, not a detector"):
        detector_locator.load_detector(
            "deep", engine="openvino", device="cpu", threads=1, confidence=None
        )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--detection-confidence", "2", "--locate", "yolo"], "--detection-confidence must"),
        (["--confidence", "0.5"], "need --locate yolo"),
        (["--only", "hat", "--locate", "green"], "need --locate yolo"),
        (["--name-by", "detector"], "need --locate yolo"),
    ],
)
def test_flags_of_detectors(tmp_path, capsys, flags, words):
    arguments = ["--demo", "-o", str(tmp_path / "out.mp4"), *flags]
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_detector_and_its_namer_go_together():
    assert read_settings(["--locate", "yolo"]).recognition.model == "yolo-names"
    assert assemble.default_label_source("yolo", "yolo-names") == "both"
    assert assemble.default_label_source("yolo", "photo") == "locator"  # of other classes
    recognition = Recognition(model="yolo-names", detection_confidence=0.3)
    assert assemble.locator_of(recognition) == "yolo"
    with open_source(str(DEMO)) as source:
        found = assemble.make_analysis(recognition)(next(iter(source)), Stats())
    assert found and {garment.label.name for garment in found} <= {
        *locate("yolo")[1].classes, UNKNOWN
    }  # fmt: skip
