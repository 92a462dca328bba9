"""Results of a bench that never ran."""

import pytest
from bench_results import MACHINE, run

from realtime.bench.speed.results import Results, Skip


@pytest.fixture
def results():
    """Two rounds of two programs, a start of each, a curve, streams, and a program left out."""
    runs = [
        run("start", "default, openvino", frames=2, seconds=1.0, cpu=1.0),
        run("start", "peer", frames=2, seconds=3.0, cpu=3.0),
        run("programs", "default, openvino", seconds=5.0),
        run("programs", "default, openvino", number=1, seconds=4.0),
        run("programs", "peer", seconds=20.0),
        run("programs", "peer", number=1, seconds=24.0),
        run("start", "default", frames=2, seconds=1.0, cpu=1.0),
        run("sizes", "default", 240, frames=27, seconds=1.5),
        run("sizes", "default", 480, frames=27, seconds=2.0),
        run("sizes", "yolo predict, OpenVINO", 480, frames=27, seconds=5.0),
        run(
            "streams",
            "default",
            8,
            frames=540,
            seconds=9.0,
            cpu=19.0,
            analysed=180,
            dropped=540,
            age=120.0,
        ),
    ]
    skip = Skip("programs", "MMDetection loop", "mmdet is not installed")
    return Results(MACHINE, 100, {"programs": "The clip: a.mkv."}, runs, [skip])
