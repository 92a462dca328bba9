"""Classifiers: both engines, the committed weights, crops in one batch."""

import json
import shutil
import subprocess
import sys

import make
import numpy as np
import pytest

from preprocessing.errors import WeightsError
from preprocessing.images.segmentation import segment
from realtime.analysis.classifier import load_classifier
from training.inference import weights
from training.inference.probabilities import softmax

NAMES = sorted(name for name, entry in weights.read_manifest().items()
               if entry.get("task", "classify") == "classify")  # fmt: skip


def crops(count, info):
    shape = (count, info.channels, info.size, info.size)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def engine_of(name, engine):
    return load_classifier(name, engine=engine, device="cpu", threads=1)._engine


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_both_engines_give_the_same_answers(name, count):
    batch = crops(count, weights.locate(name)[1])
    ours, theirs = (softmax(engine_of(name, engine)(batch)) for engine in ("openvino", "torch"))
    # OpenVINO computes in bf16 where the CPU can: 8 bits of mantissa.
    assert np.abs(ours - theirs).max() < 0.05


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
        subprocess.run([sys.executable, "-c", script], cwd=make.ROOT, check=True, timeout=60)


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
    for path in weights.WEIGHTS_DIR.glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("engine", ["openvino", "torch"])
@pytest.mark.parametrize("damage", ["cut", "flip", "missing"])
def test_damaged_weights_are_named(copied, engine, damage):
    path = copied / f"deep.{'onnx' if engine == 'openvino' else 'safetensors'}"
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
    [b"", b"short", (10).to_bytes(8, "little") + b"not json..", b"\xff" * 64, b"\x80\x04pickle"],
)
def test_what_is_no_weight_file_is_named(tmp_path, content):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="odd"):
        weights.read_info(path)


def test_metadata_with_a_field_missing(tmp_path):
    header = json.dumps({"__metadata__": {weights.METADATA_KEY: '{"name": "x"}'}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(WeightsError, match="damaged"):
        weights.read_info(path)
