"""Engines: the choice of one, and requests that wait for it and run as one batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import DeviceError
from realtime.analysis.classifiers import load_classifier
from realtime.analysis.engines import BatchedEngine, choose


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
        until(lambda: len(batched._pending) == 3)
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


@pytest.mark.parametrize(
    ("engine", "device", "chosen"),
    [
        ("openvino", "auto", ("openvino", "cpu")),
        ("auto", "cpu", ("openvino", "cpu")),
        ("torch", "cpu", ("torch", "cpu")),
        ("auto", "cuda", ("torch", "cuda")),
    ],
)
def test_choice_of_engine(engine, device, chosen):
    assert choose(engine, device) == chosen


def test_a_device_that_is_not_there_is_an_error_not_a_fallback():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(DeviceError, match="--device cpu"):
        load_classifier("deep", engine="torch", device="cuda", threads=1)
    with pytest.raises(DeviceError, match="--engine torch"):
        choose("openvino", "cuda")
