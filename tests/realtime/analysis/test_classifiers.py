"""Classifiers: the committed weights, crops in one batch."""

import shutil
import subprocess
import sys
from dataclasses import replace

import make
import numpy as np
import onnx
import pytest
from waiting import DEADLINE

from preprocessing.errors import UsageError, WeightsError
from preprocessing.images.segmentation import segment
from preprocessing.labels import LAYERS
from realtime.analysis.classifiers import (
    UNSEEN,
    FusedClassifier,
    LocatorScores,
    flattened,
    load_classifier,
    load_fused,
)
from realtime.analysis.tracks import TrackManager
from realtime.types import Person, Region
from training.inference import weights
from training.inference.detector import Detections
from training.inference.label_fusion import FUSION, FusionWeights, fused_detections
from training.inference.pose import LIMB_ODDS, LimbOdds
from training.inference.probabilities import softmax
from training.inference.weights import WEIGHTS_DIR, WeightsInfo, locate

NAMES = sorted(name for name, entry in weights.read_manifest().items()
               if entry.get("task", "classify") == "classify")  # fmt: skip


def test_a_signal_comes_after_networks_are_gone_in_the_order_they_came():
    script = """
import os, signal
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import locate

first, second = (OpenVinoNetwork(locate("deep")[0], threads=1) for _ in range(2))
del first
del second
signal.signal(signal.SIGUSR1, lambda *_: print("told"))
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=make.ROOT, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"told\n"), done.stderr


def test_the_first_answers_of_two_threads_come():
    script = """
import sys, threading
import numpy as np
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import locate

sys.setswitchinterval(1e-6)
network, together = OpenVinoNetwork(locate("deep")[0], threads=1, streams=2), threading.Barrier(2)

def ask():
    together.wait()
    network(np.zeros((1, 1, 28, 28), np.uint8))

threads = [threading.Thread(target=ask) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    for _ in range(3):  # some processes hung
        subprocess.run([sys.executable, "-c", script], cwd=make.ROOT, check=True, timeout=DEADLINE)


@pytest.mark.parametrize("name", NAMES)
def test_metadata_is_the_same_in_manifest_and_both_files(name):
    import onnx

    stem, info = weights.locate(name)
    entry = weights.read_manifest()[name]
    assert entry["classes"] == list(info.classes) and entry["temperature"] == info.temperature
    properties = {p.key: p.value for p in onnx.load(stem.with_suffix(".onnx")).metadata_props}
    text = properties[weights.METADATA_KEY]
    assert weights.WeightsInfo.from_json(text, path=stem) == info
    measured = info.metrics.get("test") or info.metrics["validation"]
    assert info.commit and info.command and 0.8 < measured["accuracy"] < 1


def test_a_frame_s_garments_are_named_in_one_batch():
    classify = load_classifier(NAMES[0], engine="openvino", device="cpu", threads=1)
    image = make.scene()
    regions = segment(image)
    assert len(regions) == 1
    probabilities = classify(image, regions * 3)
    assert probabilities.shape == (3, 10) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert classify(image, []).shape == (0, 10)


def test_softmax_of_huge_logits():
    assert np.allclose(softmax(np.array([[1e4, 0.0]], np.float32)), [[1, 0]])


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(WeightsError, match="deep"):
        weights.locate("resnet9000")


@pytest.fixture
def copied(tmp_path):
    for name in ("deep.onnx", "manifest.json"):
        shutil.copy(weights.WEIGHTS_DIR / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
@pytest.mark.parametrize("damage", ["cut", "flip", "missing"])
def test_damaged_weights_are_named(copied, engine, damage):
    path = copied / "deep.onnx"
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    else:
        data[len(data) // 2] ^= 255
        path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
    with pytest.raises(WeightsError, match="deep"):
        load_classifier(str(path), engine=engine, device="cpu", threads=1)


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"\x3a\xff\x01cut", b"\xff" * 64, b"\x80\x04pickle", b"\x72\x02\x0a\x09"],
)
def test_what_is_no_weight_file_is_named(tmp_path, content):
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="odd"):
        weights.read_info(path)


def test_metadata_with_a_field_missing(tmp_path):
    path, model = tmp_path / "x.onnx", onnx.ModelProto()
    model.metadata_props.add(key=weights.METADATA_KEY, value='{"name": "x"}')
    onnx.save(model, path)
    with pytest.raises(WeightsError, match="damaged"):
        weights.read_info(path)


CLASSES = ("hat", "shoe", "bag")
INFO = WeightsInfo(
    name="toy", network="yolo26n", classes=CLASSES, network_input="letterbox", size=64, channels=3,
    mean=(0.0,) * 3, std=(1.0,) * 3, temperature=1.0, task="detect", confidence=0.25,
)  # fmt: skip
LAYERED = replace(INFO, name="parser", classes=LAYERS, task="parse")
IMAGE = np.zeros((96, 128, 3), np.uint8)
BOX = np.array([8, 8, 16, 16], np.float32)  # away from the borders of IMAGE
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


def test_limbs_belong_to_their_part_of_the_body():
    classifier = FixedClassifier(("t-shirt", "longsleeve", "pants"), [0.1, 0.1, 0.8])
    fused = FusedClassifier(LAYERED, classifier, **COMMITTED)
    for layer in ("shoes", "trousers"):  # have no forearms
        region = of_layer(layer, 0.6)
        rows = fused.evidence(IMAGE, [replace(region, bare=0.3), replace(region, bare=0.0)]).limbs
        assert not rows[:, :2].any()
    (row,) = fused.evidence(IMAGE, [replace(of_layer("outer", 0.6), bare=0.3)]).limbs
    assert row[0] > 0 > row[1]


TOP_CUT_BELOW = np.array([40, 40, 90, 96], np.float32)  # IMAGE is 128 wide, 96 high
LONG_SLEEVES = [0.1, 0.7, 0.1, 0.1]
CUT_CLASSES = ("t-shirt", "longsleeve", "shirt", "pants")


@pytest.mark.parametrize(
    ("changes", "unseen"),
    [
        ({"bare": 0.0}, True),
        ({"wearer": Person(BOX)}, True),  # a person without skin in view
        ({"bare": 0.0, "box": np.array([0, 20, 50, 70], np.float32)}, True),  # at the left border
        ({"bare": 0.0, "box": np.array([80, 20, 127, 70], np.float32)}, True),
        ({"bare": 0.0, "box": np.array([40, 20, 90, 70], np.float32)}, False),  # not cut off
        ({"bare": 0.4}, False),  # bare arms
        ({"bare": 0.0, "limbs": {"forearms": 1.0}}, False),  # forearms in view
        ({}, False),  # nobody wears it
    ],
)
def test_sleeves_out_of_the_picture_are_no_long_sleeves(changes, unseen):
    region = replace(of_layer("top", 0.9), **{"box": TOP_CUT_BELOW, **changes})
    classifier = FixedClassifier(CUT_CLASSES, LONG_SLEEVES)
    odds = LimbOdds(hidden={"forearms": (10.0, -2.0)})
    fused = FusedClassifier(LAYERED, classifier, weights=FusionWeights(), limbs=odds)
    assert (fused.evidence(IMAGE, [region]).unseen == [["forearms"]]) == unseen


def test_kinds_that_differ_by_what_is_cut_off_become_alike():
    lying = replace(of_layer("top", 0.9), box=TOP_CUT_BELOW)
    classifier = FixedClassifier(CUT_CLASSES, LONG_SLEEVES)
    fused = FusedClassifier(LAYERED, classifier, weights=FusionWeights(), limbs=LimbOdds())
    seen, cut = (
        dict(zip(fused.info.classes, row.tolist(), strict=True))
        for row in fused(IMAGE, [lying, replace(lying, bare=0.0)])
    )
    tops = CUT_CLASSES[:3]
    assert sum(cut[name] for name in tops) == pytest.approx(sum(seen[name] for name in tops))
    assert cut["pants"] == pytest.approx(seen["pants"])
    odds = seen["longsleeve"] / seen["t-shirt"]
    assert cut["longsleeve"] / cut["t-shirt"] == pytest.approx(odds**UNSEEN, rel=1e-3)


@pytest.mark.parametrize(("bottom", "unseen"), [(96, [["shins"]]), (80, [[]])])
def test_legs_that_are_cut_off_above_the_knee(bottom, unseen):
    classifier = FixedClassifier(("pants", "shorts", "dress"), [0.4, 0.4, 0.2])
    fused = FusedClassifier(LAYERED, classifier, weights=FusionWeights(), limbs=LimbOdds())
    worn = replace(of_layer("trousers", 0.9), bare=0.0)
    short = replace(worn, box=np.array([40, bottom - 40, 80, bottom], np.float32))
    assert fused.evidence(IMAGE, [short]).unseen == unseen
    long = replace(worn, box=np.array([40, bottom - 70, 80, bottom], np.float32))
    assert fused.evidence(IMAGE, [long]).unseen == [[]]


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(1.0, [0.64, 0.16]), (0.5, [0.5333, 0.2667]), (0.0, [0.4, 0.4])],
)
def test_flattened_odds(exponent, expected):
    found = flattened(np.array([0.64, 0.16], np.float32), exponent)
    assert found == pytest.approx(np.array(expected), abs=1e-3)


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
