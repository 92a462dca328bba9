"""The garments of a clip on every engine that is here, beside those on OpenVINO on the CPU.

    python -m realtime.bench.fidelity.engines --video FILE --frames 100

Each engine runs the whole analysis on the same frames. Garments are the same if a frame has as
many, in the same order, with the same labels and boxes within a pixel.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from preprocessing.errors import exit_status
from realtime.analysis.engines import ENGINES
from realtime.library.assemble import make_analysis
from realtime.runtime.devices import CPU, devices_of, read_device
from realtime.runtime.stats import Stats
from realtime.settings import DEFAULT_MODEL, Recognition
from realtime.sources import DEMO
from realtime.sources.open_source import open_source
from realtime.types import Frame, Garment

BOX_TOLERANCE = 1.0  # pixels
REFERENCE = "openvino"


@dataclass(frozen=True, eq=False)
class Answers:
    """The garments of each frame, and the milliseconds that each took."""

    garments: list[list[Garment]]
    times: list[float]


@dataclass(frozen=True)
class Agreement:
    """Two engines on the same frames.

    Attributes:
        frames, same: all, and those with the same garments.
        garments: of all frames.
        box: largest difference of a box's side in pixels, and probability: of a label, over frames
            with as many garments.
    """

    frames: int
    same: int
    garments: int
    box: float
    probability: float


def frames_of(address: str, count: int, *, every: int = 1) -> list[Frame]:
    """The first frames of a video, one in so many."""
    with open_source(address) as source:
        return list(islice(source, 0, count * every, every))


def answers(frames: Sequence[Frame], recognition: Recognition) -> Answers:
    """The whole analysis of frames, each with a detection of its own.

    Raises:
        DeviceError: the engine or device is not available.
    """
    analysis, stats = make_analysis(replace(recognition, detection_interval="every-frame")), Stats()
    found, times = [], []
    for frame in frames:
        start = time.perf_counter()
        found.append(analysis(frame, stats))
        times.append(1000 * (time.perf_counter() - start))
    return Answers(found, times)


def agreement(expected: Answers, found: Answers) -> Agreement:
    """Compare the garments of an engine with expected ones."""
    same, box, probability = 0, 0.0, 0.0
    for ours, theirs in zip(expected.garments, found.garments, strict=True):
        pairs = list(zip(ours, theirs, strict=False))
        boxes = [float(np.abs(a.region.box - b.region.box).max()) for a, b in pairs]
        alike = len(ours) == len(theirs) and all(a.label.name == b.label.name for a, b in pairs)
        same += alike and max(boxes, default=0) <= BOX_TOLERANCE
        if len(ours) == len(theirs):
            box = max(box, *boxes, 0.0)
            differences = [abs(a.label.probability - b.label.probability) for a, b in pairs]
            probability = max(probability, *differences, 0.0)
    count = sum(map(len, expected.garments))
    return Agreement(len(expected.garments), same, count, box, probability)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each engine."""
    parser = argparse.ArgumentParser(prog="python -m realtime.bench.fidelity.engines",
                                     description=(__doc__ or "").split("\n")[0])  # fmt: skip
    parser.add_argument("--video", default=str(DEMO), help="file (default: the bundled clip)")
    parser.add_argument("--frames", type=int, default=100, help="number (default 100)")
    parser.add_argument("--every", type=int, default=1, help="take one frame in so many")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"classifier ({DEFAULT_MODEL})")
    parser.add_argument("--locate", default="auto", help="row of LOCATORS (default auto)")
    parser.add_argument("--device", default=CPU, type=read_device, help="of the engines (cpu)")
    values = parser.parse_args(argv)

    def command() -> int:
        frames = frames_of(values.video, values.frames, every=values.every)
        base = Recognition(model=values.model, locator=values.locate, engine=REFERENCE, device=CPU)
        expected = answers(frames, base)
        print(_line(REFERENCE, CPU, agreement(expected, expected), expected), flush=True)
        for engine in ENGINES:
            device = values.device
            if device in devices_of(engine) and (engine, device) != (REFERENCE, CPU):
                found = answers(frames, replace(base, engine=engine, device=device))
                print(_line(engine, device, agreement(expected, found), found), flush=True)
        return 0

    return exit_status(command)


def _line(engine: str, device: str, one: Agreement, found: Answers) -> str:
    return (f"{engine:11s} {device:8s} same garments on {one.same} of {one.frames} frames "
            f"({one.garments} garments); boxes within {one.box:.2f} pixels, probabilities within "
            f"{one.probability:.4f}; {statistics.median(found.times):.1f} ms a frame")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
