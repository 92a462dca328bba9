"""OpenVINO's networks: the precision that they compute in."""

import numpy as np
import pytest

from training.inference import openvino_network
from training.inference.openvino_network import HINTS, OpenVinoNetwork, openvino_precisions
from training.inference.weights import locate


def test_the_cpu_has_single_precision():
    assert "fp32" in openvino_precisions("CPU")


def test_precisions_are_openvino_s_capabilities(monkeypatch):
    class Core:
        def get_property(self, device, name):
            return {"CPU": ["FP32", "BF16", "INT8"], "NPU": ["FP16"]}[device]

    monkeypatch.setattr(openvino_network, "_core", Core)
    assert openvino_precisions("CPU") == ("fp32", "bf16") and openvino_precisions("NPU") == (
        "fp16",
    )


@pytest.mark.parametrize("precision", HINTS)
def test_a_network_in_each_precision(precision):
    stem, info = locate("baseline")
    images = np.random.default_rng(0).integers(0, 256, (2, 1, info.size, info.size), np.uint8)
    network = OpenVinoNetwork(stem, precision=precision)
    assert np.abs(network(images) - OpenVinoNetwork(stem, precision="fp32")(images)).max() < 0.2
