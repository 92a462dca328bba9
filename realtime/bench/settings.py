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
        html: file for the page of side-by-side.
        video: its clip of a person; None for a composed person. What the cameras of streams show;
            None for the demo.
        data: people with masks, of whom its scenes are composed; None for none.
        groups: rows of its GROUPS; all if empty.
        minutes: after which it starts no run; 0 for the page of earlier figures alone.
    """

    frames: int = 600
    rounds: int = 6
    seconds: float = 60.0
    plot: Path | None = None
    json: Path | None = None
    seed: int = 0
    html: Path | None = None
    video: Path | None = None
    data: Path | None = None
    groups: tuple[str, ...] = ()
    minutes: float = 25.0
