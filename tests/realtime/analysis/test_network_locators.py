"""Detectors as locators: regions with scores in the frame's pixels, filters, outlines."""

import cv2
import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from realtime.analysis import network_locators
from realtime.analysis.locators import LocatorOptions
from realtime.types import Region
from training.inference.detector import Detector
from training.inference.weights import WeightsInfo

CLASSES = ("hat", "shoe", "bag")
INFO = WeightsInfo(
    name="toy", network="yolo26n", classes=CLASSES, network_input="letterbox", size=64, channels=3,
    mean=(0.0,) * 3, std=(1.0,) * 3, temperature=1.0, task="detect", confidence=0.25,
)  # fmt: skip
IMAGE = np.zeros((96, 128, 3), np.uint8)  # twice the network's 64 x 48, padded to 64 x 64


def network(image):
    """Detect a hat of 16 x 16 at (8, 16) of the input, and a shoe of 8 x 8 at (40, 24)."""
    assert image.shape == (64, 64, 3)
    output = np.zeros((7, 5), np.float32)
    output[:, 1] = (16, 24 + 8, 16, 16, 0.9, 0.05, 0.0)
    output[:, 3] = (44, 28 + 8, 8, 8, 0.1, 0.4, 0.3)
    output[:, 4] = (10, 10, 8, 8, 0.2, 0.1, 0.1)
    return output


def locator(only=(), **options):
    return network_locators.DetectorLocator(Detector(INFO, network, **options), only)


def test_regions_are_in_pixels_of_the_frame():
    regions = locator()(IMAGE)
    assert [region.box.tolist() for region in regions] == [[16, 32, 48, 64], [80, 48, 96, 64]]
    assert regions[0].mask.shape == (32, 32) and regions[0].mask.all()
    assert regions[1].scores == pytest.approx([0.1, 0.4, 0.3])


@pytest.mark.parametrize(
    ("options", "count"),
    [({"confidence": 0.5}, 1), ({"confidence": 0.1}, 3), ({"only": ("shoe",)}, 1),
     ({"only": ("bag",)}, 0)],
)  # fmt: skip
def test_confidence_and_classes_filter(options, count):
    assert len(locator(**options)(IMAGE)) == count


def test_an_unknown_class_is_refused():
    with pytest.raises(UsageError, match="toy has no class sock: choose from hat, shoe, bag"):
        locator(only=("sock",))


def test_an_outline_in_a_box():
    image = np.full((100, 120, 3), 220, np.uint8)
    cv2.circle(image, (60, 50), 25, (30, 60, 90), cv2.FILLED)
    full = Region.from_box(np.array([35, 25, 86, 76], np.float32))
    found = network_locators.outlined(image, full)
    assert found.mask[25, 25] == 255 and found.mask[1, 1] == 0
    assert np.count_nonzero(found.mask) == pytest.approx(np.pi * 25**2, rel=0.12)
    plain = network_locators.outlined(np.full((100, 120, 3), 220, np.uint8), full)
    assert plain.mask.all()  # nothing differs: the mask stays full


def test_a_classifier_is_no_detector():
    with pytest.raises(WeightsError, match=r"deep \(classifier\) is no detector"):
        network_locators.load_detector("deep", LocatorOptions().loader(), confidence=None)
