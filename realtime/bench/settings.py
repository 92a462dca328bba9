"""Settings of the benchmarks, which the flags of `python -m realtime.bench` give."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BenchSettings:
    """Size of an experiment.

    Attributes:
        frames: of a clip.
        rounds: runs of each program.
        seconds: for which a camera runs.
        plot: file for a plot of a comparison of programs.
        json: file for the figures.
        seed: of random requests.
        clip: video that the cameras of streams show; None for the demo.
    """

    frames: int = 600
    rounds: int = 6
    seconds: float = 60.0
    plot: Path | None = None
    json: Path | None = None
    seed: int = 0
    clip: Path | None = None
