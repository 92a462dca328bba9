"""The plan of the side-by-side bench: GROUPS, and the trials of each in the order they are run."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.bench.speed.line_up import (
    COPYING,
    OPENVINO_PREDICT,
    Absent,
    Detectors,
    Program,
    app_programs,
    chosen_app,
    limit_programs,
)
from realtime.bench.speed.peers import PREDICT
from realtime.bench.speed.results import Key
from realtime.bench.speed.scenes import Scene, SceneMaker
from realtime.runtime.worker import cores

START_FRAMES = 2  # of the clip by which the start of a program is measured
START = "start"
GROUPS = {
    "programs": "Programs side by side",
    "cores": "Cost against cores",
    "streams": "Live streams at once",
    "sizes": "Cost against frame size",
    "people": "Cost against people",
}
SIZES = {
    240: (320, 240), 480: (640, 480), 720: (1280, 720), 1080: (1920, 1080), 2160: (3840, 2160),
}  # fmt: skip
PEOPLE, CROWD_SIZE = (0, 1, 2, 4, 7, 10), (1280, 720)
STREAMS, STREAM_RATE = (1, 2, 4, 8), 15  # frames a second
CURVE_SHARE = 0.25  # of the frames that the programs are given
CURVE_APPS = ("default", "--locate yolo")


@dataclass(frozen=True)
class Trial:
    """One place of a figure, to be run once in every round.

    Attributes:
        cores: that it may use; 0 for all.
        streams: cameras that show the clip at once; 0 for a file.
    """

    key: Key
    program: Program
    scene: Scene
    cores: int = 0
    streams: int = 0


@dataclass(frozen=True)
class GroupPlan:
    """The trials of a group, and what is left out of it."""

    trials: tuple[Trial, ...]
    absent: tuple[Absent, ...] = ()


def plan(group: str, frames: int, *, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    """The plan of a group.

    Args:
        frames: of the programs' clip, from which those of the other clips follow.
    """
    makers = {
        "programs": _programs, "cores": _cores, "streams": _streams, "sizes": _sizes,
        "people": _people,
    }  # fmt: skip
    return makers[group](frames, detectors, scenes)


def fewer(frames: int, share: float) -> int:
    """A share of the frames, but more than a start has."""
    return max(START_FRAMES + 1, round(share * frames))


def _programs(frames: int, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    found = (*app_programs(), *detectors, *limit_programs())
    programs = [one for one in found if isinstance(one, Program)]
    trials = (
        trial
        for program in programs
        for trial in (
            start_of(program),
            Trial(Key("programs", program.name), program, Scene(fewer(frames, program.share))),
        )
    )
    return GroupPlan(tuple(trials), tuple(one for one in found if isinstance(one, Absent)))


def start_of(program: Program) -> Trial:
    """The start of a program, which is subtracted where the cost of a frame is asked for."""
    return Trial(Key(START, program.name), program, Scene(START_FRAMES))


def _curve(detectors: Detectors, *names: str) -> tuple[list[Program], tuple[Absent, ...]]:
    """The app as it chooses by itself, and other programs by name."""
    limits = {one.name: one for one in limit_programs()}
    found = [limits.get(name) or detectors.program(name) for name in names]
    programs = [one for one in found if isinstance(one, Program)]
    absent = tuple(one for one in found if isinstance(one, Absent))
    return [*map(chosen_app, CURVE_APPS), *programs], absent


def _cores(frames: int, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    if shutil.which("taskset") is None:
        return GroupPlan((), (Absent("", "taskset (util-linux) is not here"),))
    programs, absent = _curve(detectors, PREDICT, OPENVINO_PREDICT)
    programs.insert(2, chosen_app("--model deep"))
    scene = Scene(fewer(frames, 2 * CURVE_SHARE))
    counts = [count for count in (1, 2, 4, 8, 16) if count <= cores()]
    trials = (
        Trial(Key("cores", one.name, count), one, scene, cores=count)
        for count in counts
        for one in programs
    )
    return GroupPlan(tuple(trials), absent)


def _streams(frames: int, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    scene, programs = Scene(frames), [chosen_app(name) for name in CURVE_APPS]
    trials = (
        Trial(Key("streams", one.name, count), one, scene, streams=count)
        for count in STREAMS
        for one in programs
    )
    return GroupPlan((*map(start_of, programs), *trials))


def _sizes(frames: int, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    programs, absent = _curve(detectors, OPENVINO_PREDICT, COPYING)
    count = fewer(frames, CURVE_SHARE)
    trials = (
        Trial(Key("sizes", one.name, lines), one, Scene(count, size))
        for lines, size in SIZES.items()
        for one in programs
    )
    return GroupPlan((*map(start_of, programs), *trials), absent)


def _people(frames: int, detectors: Detectors, scenes: SceneMaker) -> GroupPlan:
    if not scenes.composes:
        return GroupPlan((), (Absent("", "composed scenes need people with masks: --data DIR"),))
    programs, absent = _curve(detectors, OPENVINO_PREDICT)
    count = fewer(frames, CURVE_SHARE)
    trials = (
        Trial(Key("people", one.name, people), one, Scene(count, CROWD_SIZE, people))
        for people in PEOPLE
        for one in programs
    )
    return GroupPlan((*map(start_of, programs), *trials), absent)


def in_order(trials: Sequence[Trial], number: int) -> Iterator[Trial]:
    """The trials of a round: forwards in one, backwards in the next."""
    return iter(trials) if number % 2 == 0 else reversed(trials)


def on_cores(command: Sequence[str], count: int, available: Sequence[int]) -> list[str]:
    """A command that may use the first of the available cores alone; all of them for 0."""
    chosen = ",".join(map(str, sorted(available)[:count]))
    return ["taskset", "-c", chosen, *command] if count else list(command)


def cameras(clip: Path, count: int, seconds: float) -> list[str]:
    """Addresses of simulated cameras that show a clip."""
    return [
        f"fake://{STREAM_RATE}fps?for={seconds:g}s&clip={clip}&name={number}"
        for number in range(count)
    ]
