"""Engines: the choice of one, and requests that wait for it and run as one batch."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import cv2
import make
import numpy as np
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import DeviceError
from realtime.analysis import engines
from realtime.analysis.classifiers import load_classifier
from realtime.analysis.engines import ENGINES, BatchedEngine, EngineOptions, EngineRow, loader
from realtime.bench.fidelity.engines import Answers, agreement, answers, frames_of
from realtime.library.assemble import make_analysis
from realtime.runtime import devices
from realtime.runtime.precision import OWN
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sources import DEMO
from training.inference import networks
from training.inference.embedding import FeatureNetwork
from training.inference.networks import Layout
from training.inference.probabilities import softmax
from training.inference.weights import locate, read_manifest

PRESENT = [name for name in ENGINES if name != "openvino" and devices.devices_of(name)]
LAYOUT = {"detect": Layout.FRAMES, "parse": Layout.EACH_SHAPE, "classify": Layout.AS_FILED}


def precise(engine):
    """Its networks in single precision: OpenVINO would compute in bf16 where the CPU can."""
    return loader(EngineOptions(engine=engine, precision="fp32"))


def probabilities(info, network):
    """A network's answers to two pictures of garments, (2, ...), all between 0 and 1."""
    sides = (info.size, info.size) if info.task == "classify" else (256, 192)
    first = cv2.resize(make.scene(), sides[::-1])
    frames = np.stack([first, 255 - first[:, ::-1]])
    if info.task == "detect":
        scaled = network(frames)
        scaled[:, :4] /= 256
        return scaled
    planes = frames[..., : info.channels].transpose(0, 3, 1, 2)
    answers = network(np.ascontiguousarray(planes))
    return answers if info.task == "parse" else softmax(answers)


@cache
def demo_garments(engine):
    """The garments of some frames of the bundled clip."""
    recognition = Recognition(model="yolo-names", locator="yolo", engine=engine, device="cpu")
    return answers(frames_of(str(DEMO), 4, every=40), recognition)


def test_crops_that_wait_for_a_busy_engine_go_in_one_batch():
    sizes, free = [], threading.Event()

    def engine(batch):
        sizes.append(len(batch))
        free.wait(DEADLINE)
        return batch.reshape(len(batch), -1)[:, :1] * 2.0

    batched = BatchedEngine(engine)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batched, np.full((1, 1, 2, 2), 1))
        until(lambda: sizes)
        others = [pool.submit(batched, np.full((k, 1, 2, 2), k)) for k in (2, 3, 4)]
        until(lambda: len(batched._merged._pending) == 3)
        free.set()
        assert first.result().tolist() == [[2.0]]
        assert [one.result().tolist() for one in others] == [[[2.0 * k]] * k for k in (2, 3, 4)]
    assert sizes == [1, 9]


def test_each_caller_gets_the_error_of_its_engine():
    def engine(batch):
        raise ValueError("no")

    batched = BatchedEngine(engine)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            batched(np.zeros((1, 1, 2, 2)))


class Doubling(networks.NetworkFile):
    """A network that doubles images, and waits in its first call until it is free."""

    input = output = (-1, 2)

    def __init__(self):
        super().__init__(Path("doubling.onnx"))
        self.shapes, self.free = [], threading.Event()

    def __call__(self, array):
        return self.outputs_for(array)[0]

    def outputs_for(self, array):
        self.shapes.append(array.shape)
        self.free.wait(DEADLINE)
        return [2 * array, array[:, :1]]


def test_images_of_a_network_are_merged_up_to_a_limit_and_padded_to_a_power_of_two():
    network = Doubling()
    batched = engines.BatchedNetwork(network, most=4)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batched, np.full((1, 2), 0))
        until(lambda: network.shapes)
        others = [pool.submit(batched, np.full((1, side), side)) for side in (2, 2, 2, 3, 3)]
        others.append(pool.submit(batched, np.full((6, 2), 7)))  # more than the limit, of one call
        until(lambda: len(batched._first._pending) == 6)
        network.free.set()
        assert first.result().tolist() == [[0, 0]]
        found = [one.result().tolist() for one in others]
    assert found == [*[[[4, 4]]] * 3, *[[[6, 6, 6]]] * 2, [[14, 14]] * 6]
    assert network.shapes[0] == (1, 2)  # alone: nobody waited for others
    assert sorted(network.shapes[1:]) == [(2, 3), (4, 2), (6, 2)]
    assert [one.tolist() for one in batched.outputs_for(np.full((3, 2), 1))] == [
        [[2, 2]] * 3, [[1]] * 3,
    ]  # fmt: skip


def test_networks_are_batched_on_graphics_cards_and_run_as_they_are_elsewhere(monkeypatch):
    monkeypatch.setattr(engines, "require", lambda engine, device: None)
    monkeypatch.setitem(engines.ENGINES, "torch", EngineRow(
        lambda options: lambda stem, **given: Doubling()
    ))  # fmt: skip
    own = partial(EngineOptions, engine="torch", precision=OWN)
    card, cpu = own(device="cuda:1"), own(device="cpu")
    assert isinstance(loader(card)(Path("a")), engines.BatchedNetwork)
    assert isinstance(loader(cpu)(Path("a")), Doubling)
    assert (engines.streams_for(card), engines.streams_for(cpu)) == (engines.BATCH_STREAMS, 1)


@pytest.mark.parametrize("engine", ["openvino", *PRESENT])
def test_frames_that_are_begun_together_have_the_same_garments(engine, monkeypatch):
    """What runs on a graphics card, on the CPU: frames ahead, on threads that share batches."""
    sizes, batched = [], engines.BatchedNetwork

    def counted(network, *, most):
        return batched(Recording(network, sizes), most=most)

    expected = demo_garments(engine)
    monkeypatch.setattr(engines, "BATCHING", ("cpu",))
    monkeypatch.setattr(engines, "BATCH_STREAMS", 3)
    monkeypatch.setattr(engines, "BatchedNetwork", counted)
    recognition = Recognition(model="yolo-names", locator="yolo", engine=engine, device="cpu",
                              detection_interval="every-frame")  # fmt: skip
    frames = frames_of(str(DEMO), 4, every=40)
    ahead = make_analysis(recognition).analysed(frames, Stats(), concurrent=True)
    found = agreement(expected, Answers([one.garments for one in ahead], []))
    assert (found.frames, found.same) == (4, 4) and sum(sizes) >= 8
    assert found.box <= 1 and found.probability < 1e-2


class Recording(networks.NetworkFile):
    """A network that notes the sizes of its batches."""

    def __init__(self, network, sizes):
        super().__init__(Path("recording.onnx"))
        self.input, self.output = network.input, network.output
        self._network, self._sizes = network, sizes

    def __call__(self, array):
        self._sizes.append(len(array))
        return self._network(array)

    def outputs_for(self, array):
        return self._network.outputs_for(array)


@pytest.mark.parametrize("engine", PRESENT)
@pytest.mark.parametrize("name", sorted(read_manifest()))
def test_every_network_gives_the_same_answers_on_every_engine(engine, name):
    stem, info = locate(name)
    expected, found = (
        probabilities(info, precise(one)(stem, layout=LAYOUT[info.task]))
        for one in ("openvino", engine)
    )
    assert len(expected) == len(found) == 2
    assert np.abs(expected - found).max() < 1e-2


@pytest.mark.parametrize("engine", PRESENT)
def test_features_are_the_same_on_every_engine(engine):
    batch = np.random.default_rng(0).integers(0, 256, (2, 4, 224, 224), np.uint8)
    expected, found = (
        FeatureNetwork(*locate("photo"), precise(one))(batch) for one in ("openvino", engine)
    )
    assert np.abs(expected - found).max() < 1e-2


@pytest.mark.parametrize("engine", PRESENT)
def test_garments_of_the_demo_clip_are_the_same_on_every_engine(engine):
    found = agreement(demo_garments("openvino"), demo_garments(engine))
    assert (found.frames, found.same) == (4, 4) and found.garments >= 4
    assert found.box <= 1 and found.probability < 1e-2


def test_files_that_an_engine_cannot_read_run_on_openvino_which_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr(engines, "ENGINES", {
        "openvino": EngineRow(lambda options: lambda stem, **given: ("openvino", options.device)),
        "torch": EngineRow(lambda options: lambda stem, **given: ("torch", options.device)),
    })  # fmt: skip
    networks.tell_once.cache_clear()
    load = loader(EngineOptions(engine="torch"))
    for _ in range(2):
        assert load(Path("pose"), kind=".tflite") == ("openvino", "cpu")
        assert load(Path("photo")) == ("torch", "cpu")
    assert [one.getMessage() for one in caplog.records] == [
        "engine torch reads no .tflite files: the networks in them, those of pose keypoints, run "
        "on OpenVINO on the CPU"
    ]


def test_a_device_that_is_not_there_is_an_error_not_a_fallback(monkeypatch):
    monkeypatch.setitem(devices.LISTS, "torch", lambda: ["cpu"])
    with pytest.raises(DeviceError, match=r"no cuda device here for engine torch.*--device cpu"):
        load_classifier("deep", engine="torch", device="cuda", threads=1)
