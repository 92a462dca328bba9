"""Results of the side-by-side bench: all its runs, in a JSON file that a later one goes on with."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from preprocessing.errors import DataError, SinkError, UsageError
from preprocessing.files import write_whole
from realtime.bench.speed.machine import Machine

VERSION = 1  # of the file's form


@dataclass(frozen=True, order=True)
class Key:
    """A place in a figure.

    Attributes:
        group: a row of GROUPS; series: a program.
        x: lines of the frame, people, cores or streams; 0 where the group has no such axis.
    """

    group: str
    series: str
    x: int = 0


@dataclass(frozen=True)
class Run:
    """One run of one program.

    Attributes:
        round: from 0.
        frames: of the clip; of streams: written, of all together.
        seconds: of wall time, of streams since the first frame.
        cpu: seconds of user and system time, of all its processes.
        memory: peak in MB.
        size: bytes of the video.
        analysed, dropped: detections and dropped frames of all streams; 0 for files.
        age: of the labels of what is drawn, in milliseconds, below which 95 % of the frames of the
            worst stream are; 0 for files.
        command: as a shell takes it.
    """

    key: Key
    round: int
    frames: int
    seconds: float
    cpu: float
    memory: float
    size: int
    command: str
    analysed: int = 0
    dropped: int = 0
    age: float = 0.0


@dataclass(frozen=True)
class Skip:
    """A program that is not in a figure, and why; `series` is "" for the whole group."""

    group: str
    series: str
    reason: str


@dataclass(eq=False)
class Results:
    """All runs so far.

    Attributes:
        clips: what each group's clip shows.
    """

    machine: Machine
    frames: int
    clips: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)

    def has(self, key: Key, number: int) -> bool:
        """True if that round of a place has been run."""
        return any(run.key == key and run.round == number for run in self.runs)

    def skip(self, skip: Skip) -> None:
        """Add a reason; one that is known replaces the earlier one of the same program."""
        place = (skip.group, skip.series)
        self.skips = [one for one in self.skips if (one.group, one.series) != place]
        self.skips.append(skip)

    def of(self, group: str) -> list[Run]:
        """The runs of a group."""
        return [run for run in self.runs if run.key.group == group]

    def series(self, group: str) -> list[str]:
        """The programs of a group, in the order of their first runs."""
        return list(dict.fromkeys(run.key.series for run in self.of(group)))


def write(path: Path, results: Results) -> None:
    """Write the results; a file that a killed run leaves is whole.

    Raises:
        SinkError: it cannot be written.
    """
    text = json.dumps({"version": VERSION, **asdict(results)}, indent=1)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> Results:
    """Read the results of an earlier run.

    Raises:
        DataError: the file is no such results.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("version") != VERSION:
            raise ValueError("another version")
        return Results(
            machine=_machine(content["machine"]),
            frames=content["frames"],
            clips=content["clips"],
            runs=[Run(Key(**one.pop("key")), **one) for one in content["runs"]],
            skips=[Skip(**one) for one in content["skips"]],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no results of this bench ({error}): give another "
                        "--json FILE") from error  # fmt: skip


def _machine(content: dict[str, Any]) -> Machine:
    return Machine(**{**content, "units": tuple(content["units"])})


def resumed(path: Path | None, machine: Machine, frames: int) -> Results:
    """The results of a file to go on with, or new ones where there is no file.

    Raises:
        DataError: the file holds something else.
        UsageError: it comes from another processor, another code, or other clips.
    """
    if path is None or not path.exists():
        return Results(machine, frames)
    found = read(path)
    for name, ours, theirs in (
        ("processor", (machine.cpu, machine.cores), (found.machine.cpu, found.machine.cores)),
        ("environment", machine.environment, found.machine.environment),
        ("versions", machine.versions, found.machine.versions),
        ("commit", machine.commit, found.machine.commit),
        ("number of frames", frames, found.frames),
    ):
        if ours != theirs:
            raise UsageError(f"{path} has figures of another {name} ({_short(theirs)}, here "
                             f"{_short(ours)}): give another --json FILE, or --minutes 0 for its "
                             "page")  # fmt: skip
    return found


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value) or "none"


def reasons(skips: Iterable[Skip], group: str) -> list[str]:
    """Lines that say what is not in a group, and why."""
    return [f"{one.series or 'all of it'}: {one.reason}" for one in skips if one.group == group]
