"""Colour and attributes of tracks: observed at intervals, averaged, shown on labels."""

import numpy as np
import pytest

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.errors import WeightsError
from realtime.analysis.appearance import (
    AppearanceObserver,
    garment_pixels,
    load_attributes,
)
from realtime.analysis.tracks import FIRST_OBSERVATIONS, OBSERVATION_INTERVAL, TrackManager
from realtime.sinks.annotate import Annotator
from realtime.types import Garment, Label, Region
from training.inference.weights import WeightsInfo

ATTRIBUTES = (Attribute("neck", ("0", "1"), ("round", "v")),
              Attribute("sleeve", ("a", "b", "c"), ("long", "short", "none")))  # fmt: skip
INFO = WeightsInfo(
    name="a", network="n", classes=("x",) * 5, network_input="photo", size=8, channels=3, mean=(0,),
    std=(1,), temperature=1.0, task="attributes", attributes=ATTRIBUTES,
)  # fmt: skip


class Network:
    """Stands for a classifier: gives one row of logits to every region, and counts the calls."""

    info = INFO

    def __init__(self, row):
        self.row, self.calls = row, 0

    def logits(self, image, regions):
        self.calls += 1
        return np.tile(np.float32(self.row), (len(regions), 1))


def appearance_after(observer, *, frames=60):
    image = np.full((60, 80, 3), 200, np.uint8)
    image[10:50, 20:60] = (30, 30, 190)
    region = Region(np.float32((20, 10, 60, 50)), np.full((40, 40), 255, np.uint8))
    manager = TrackManager(("Dress",), threshold=0.5)
    for _ in range(frames):
        tracks = manager([region])
        observer(image, tracks)
    return tracks[0].appearance


def test_a_track_is_observed_at_intervals():
    network = Network([2, 0, 0, 3, 0])
    observer = AppearanceObserver(network)
    appearance = appearance_after(observer, frames=FIRST_OBSERVATIONS + 2 * OBSERVATION_INTERVAL)
    assert network.calls == FIRST_OBSERVATIONS + 2
    assert appearance.colour == "red"
    assert observer.attributes(appearance) == {"neck": "round", "sleeve": "short"}


def test_an_uncertain_attribute_is_not_reported():
    observer = AppearanceObserver(Network([0, 0.1, 1, 1, 1]))
    assert observer.attributes(appearance_after(observer)) == {"neck": "v"}


def test_without_a_network_there_is_a_colour_alone():
    observer = AppearanceObserver()
    appearance = appearance_after(observer, frames=1)
    assert appearance.colour == "red" and observer.attributes(appearance) == {}


def test_pixels_of_a_mask_and_of_an_empty_one():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    mask = np.zeros((2, 2), np.uint8)
    box = np.float32((1, 1, 3, 3))
    assert garment_pixels(image, Region(box, mask)).shape == (4, 3)
    mask[0, 1] = 255
    assert garment_pixels(image, Region(box, mask)).tolist() == [image[1, 2].tolist()]


def test_labels_show_colour_and_attributes():
    region = Region(np.float32((0, 0, 9, 9)), np.full((9, 9), 255, np.uint8))
    garment = Garment(region, 1, Label("Dress", 0.93), colour="red", attributes={"neck": "v"})
    assert Annotator(("Dress",))._text(garment, numbered=False) == "Dress 93%, v"
    assert Annotator(("Dress",), colour=True)._text(garment, numbered=False) == "red Dress 93%, v"


def test_another_kind_of_model_is_refused():
    with pytest.raises(WeightsError, match=r"deep \(classifier\) is no attribute model"):
        load_attributes("deep", engine="openvino", device="cpu", threads=1, precision="fp32")
