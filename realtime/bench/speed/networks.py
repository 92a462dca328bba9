"""Inference times of the committed networks alone, on OpenVINO."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from realtime.analysis.engines import EngineOptions, crop_engine, loader
from training.inference.detector import Detector, openvino_detector
from training.inference.weights import locate, read_manifest

BATCHES = (1, 4, 16)
WARM_UP = 20  # calls


def classifier_times(batch: int, rounds: int = 200) -> dict[str, np.ndarray]:
    """Milliseconds of each call of every committed classifier, one thread."""
    found = {}
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        if info.task == "classify":
            engine = crop_engine(stem, info, loader(EngineOptions()))
            crops = np.zeros((batch, info.channels, info.size, info.size), np.uint8)
            found[name] = _times(partial(engine, crops), rounds)
    return found


def detector_times(rounds: int = 200) -> dict[str, np.ndarray]:
    """Milliseconds of each call of every committed detector on a 640x480 frame, by threads."""
    frame, found = np.full((480, 640, 3), 127, np.uint8), {}
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        for threads in (1, 2) if info.task == "detect" else ():
            detector = Detector(info, openvino_detector(stem, info, threads=threads))
            step = _times(partial(detector, frame), rounds)
            found[f"{name}, {threads} threads"] = step
    return found


def _times(call: Callable[[], object], rounds: int) -> np.ndarray:
    times = []
    for _ in range(rounds + WARM_UP):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return np.array(times[WARM_UP:])
