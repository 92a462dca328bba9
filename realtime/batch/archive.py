"""Runs the pipeline over an archive on Ray: `python -m realtime.batch.archive LIST --out DIR`.

Every video is divided into units of some frames. The rows and the labelled segment of a unit are
written under temporary names and then renamed, so that a unit's folder is complete if it exists,
with a record of what its results depend on (provenance.py). Started again, the command processes
the units that are missing or whose record is another one. At the end the rows of a video become one
Parquet file, and its segments one mp4.
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from preprocessing.errors import (
    BrokenSourceError,
    SinkError,
    SourceError,
    exit_status,
    printable,
)
from preprocessing.flags import NOT_NEGATIVE, POSITIVE, Arguments, Flag, add_fields, read_fields
from realtime.batch.estimate import Measured, Remaining, estimate, frames_of, measure
from realtime.batch.inputs import inputs_of
from realtime.batch.lists import absolute, listed, local_path
from realtime.batch.places import UNITS, VIDEO, locked, names_of, sink_errors, write_video
from realtime.batch.provenance import difference, plan_line, settings_of, weights_of
from realtime.batch.several import Outcome, table
from realtime.batch.stores import Store, in_store
from realtime.batch.units import Unit, damage, discard_others, join, outputs_of, units_of
from realtime.batch.workers import Ending, Process, RayWorkers, Task
from realtime.library.assemble import check_recognition
from realtime.runtime.cut import Cut, read_seconds
from realtime.settings import TIME, Recognition, recognition_of

PROG = "python -m realtime.batch.archive"
EPILOG = f"""\
Started again, it processes the units that are missing, and those whose video,
settings, weight files or version of the app are others than before. On a cluster,
--out and the videos are on storage that all machines see, or in an object store.

example:
  {PROG} 'archive/**/*.mp4' --out labelled --rows-only --dry-run

exit status:
  0 success; 2 wrong flag; 5 --out cannot be written, or another run writes into
  it; 6 and 7 weights and devices, or Ray does not run; otherwise that of the first
  video that failed: 3 cannot be opened, 4 damaged or truncated (what could be
  decoded is in its results), or a worker failed
"""


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """Everything that the flags of this command decide.

    Attributes:
        store: where --out is one, which then is a local folder; else None.
    """

    videos: Annotated[
        tuple[str, ...],
        Flag(
            "text files with a video a line (.txt), videos, folders or patterns",
            name="videos",
            metavar="LIST|VIDEO",
            nargs="+",
        ),
    ]
    out: Annotated[
        Path,
        Flag("folder for rows, labelled videos, and units/; also one of an object store, such as "
             "s3://BUCKET/DIR", metavar="DIR", reads=str),
    ]  # fmt: skip
    unit_frames: Annotated[
        int, Flag("frames that a worker processes at a time", POSITIVE, metavar="N")
    ] = 1500  # a minute of video at 25 frames a second
    workers: Annotated[
        int | None,
        Flag("processes on this machine", POSITIVE, metavar="N", default="one a core"),
    ] = None
    cluster: Annotated[
        str | None,
        Flag(
            "running Ray cluster: auto or ray://HOST:10001",
            name="--address",
            metavar="ADDRESS",
            default="this machine",
        ),
    ] = None
    start: Annotated[
        Fraction,
        Flag("begin every video there", NOT_NEGATIVE, metavar="TIME", default="0",
             reads=read_seconds, wanted=TIME),
    ] = Fraction(0)  # fmt: skip
    end: Annotated[
        Fraction | None,
        Flag("end every video there", POSITIVE, metavar="TIME", default="its end",
             reads=read_seconds, wanted=TIME),
    ] = None  # fmt: skip
    rows_only: Annotated[bool, Flag("write no labelled videos")] = False
    resume: Annotated[
        bool,
        Flag("reuse the units of earlier runs whose results are still valid", default="--resume"),
    ] = True
    dry_run: Annotated[
        bool,
        Flag("process nothing: say how long it takes and how large the results become, from some "
             "seconds of three videos"),
    ] = False  # fmt: skip
    store: Store | None = None
    recognition: Recognition = field(default_factory=Recognition)

    @property
    def cut(self) -> Cut:
        """The part of every video that is processed."""
        return Cut(start=self.start, end=self.end)

    def units_in(self, name: str) -> Path:
        """The folder of a video's units: another one for each part of it."""
        ends = f" {float(self.start):g}-{'' if self.end is None else f'{float(self.end):g}'}"
        return self.out / UNITS / f"{name}{ends if self.cut else ''}"


def run_archive(settings: ArchiveSettings, process: Process | None = None) -> int:
    """Process all videos; return 0, or the status of the first that failed.

    Args:
        process: how units are processed; None for Ray's workers.

    Raises:
        SinkError: a result would replace an input, another run writes into the folder, or it
            cannot be written.
        WeightsError, DeviceError, UsageError: the settings cannot be used on this machine.
    """
    given = {absolute(video): video for video in reversed(settings.videos)}
    videos = list(reversed(given))
    if settings.store:
        settings.store.get_names()
    names = _names(videos, settings)  # refused before anything is written
    if settings.dry_run:
        return _dry_run(names, settings)
    process = process or RayWorkers(settings.cluster, settings.workers)
    with locked(settings.out):
        if settings.store:
            settings.store.forget()  # of a killed run
            settings.store.get_names()
        names = _names(videos, settings)  # another run may have ended meanwhile
        units, outcomes = _plan(names, settings)
        _prepare(names, units, settings)
        endings = _process_outdated(units, settings, process)
        for video, parts in units.items():
            outcomes[video] = _join(video, parts, settings.out / names[video], endings)
            _put_results(names[video], settings)
        if settings.store:
            settings.store.forget()
    ordered = [replace(outcomes[video], source=given[video]) for video in videos]
    print(table(ordered), file=sys.stderr)
    return next((outcome.status for outcome in ordered if outcome.status), 0)


def _names(videos: Sequence[str], settings: ArchiveSettings) -> dict[str, str]:
    """The name of each video's results, none of which replaces an input.

    Raises:
        SinkError: one would.
    """
    names = names_of(videos, settings.out)
    inputs = inputs_of(videos, settings.recognition)
    paths = [path for name in names.values() for path in outputs_of(settings.out / name)]
    for path in paths:
        inputs.keep_from("--out", path)
    if settings.store:
        settings.store.keep_videos(videos, paths)
    return names


def _plan(
    names: Mapping[str, str], settings: ArchiveSettings
) -> tuple[dict[str, list[Unit]], dict[str, Outcome]]:
    """The units of every video that is one, and the outcomes of those that are none."""
    found = settings_of(settings.recognition, rows_only=settings.rows_only)
    weights = weights_of(settings.recognition)
    units: dict[str, list[Unit]] = {}
    outcomes: dict[str, Outcome] = {}
    for video, name in names.items():
        folder = settings.units_in(name)
        try:
            units[video] = units_of(video, folder, settings.unit_frames, settings=found,
                                    weights=weights, cut=settings.cut)  # fmt: skip
            if settings.store:
                for unit in units[video]:
                    settings.store.get(unit.folder)
        except SourceError as error:
            outcomes[video] = Outcome(source=video, status=error.status, error=str(error))
            continue
    return units, outcomes


def _dry_run(names: Mapping[str, str], settings: ArchiveSettings) -> int:
    """Print what a run would do, how long that takes, and how much it writes."""
    units, outcomes = _plan(names, settings)
    every = [unit for parts in units.values() for unit in parts]
    todo = _outdated(every, settings)
    print(_plan_line(units, settings), file=sys.stderr, flush=True)
    measured = measure(todo, _task(settings)) if todo else Measured()
    print(estimate(todo, measured, workers=RayWorkers(settings.cluster, settings.workers).count()))
    for video, outcome in outcomes.items():
        print(printable(f"{video}: {outcome.error}"), file=sys.stderr)
    return next((outcome.status for outcome in outcomes.values()), 0)


def _outdated(units: Sequence[Unit], settings: ArchiveSettings) -> list[Unit]:
    return [unit for unit in units if not settings.resume or unit.outdated]


def _plan_line(units: Mapping[str, Sequence[Unit]], settings: ArchiveSettings) -> str:
    reasons = (unit.outdated for parts in units.values() for unit in parts)
    return plan_line(reasons, videos=len(units), redo=not settings.resume)


def _task(settings: ArchiveSettings) -> Task:
    return Task(recognition=settings.recognition, rows_only=settings.rows_only,
                store=settings.store, home=platform.node())  # fmt: skip


def _prepare(names: Mapping[str, str], units: Mapping[str, Sequence[Unit]],
             settings: ArchiveSettings) -> None:  # fmt: skip
    """Write whose units the folders hold, and remove those that are none any more.

    Raises:
        SinkError: they cannot be written.
    """
    for video, parts in units.items():
        folder = settings.units_in(names[video])
        with sink_errors(folder):
            write_video(folder, video, names[video])
            discard_others(folder, parts)
        if settings.store:
            settings.store.put(folder / VIDEO)
            settings.store.remove_others(folder, {unit.folder.name for unit in parts})


def _put_results(name: str, settings: ArchiveSettings) -> None:
    """Put the joined results of a video into the store, if --out is one.

    Raises:
        SinkError: the store takes them not.
    """
    for path in outputs_of(settings.out / name):
        if settings.store and path.is_file():
            settings.store.put(path)


def _process_outdated(
    units: Mapping[str, Sequence[Unit]], settings: ArchiveSettings, process: Process
) -> dict[str, Ending]:
    """Process the units whose results are not there; return the failures by video.

    Raises:
        SinkError: results cannot be written.
    """
    todo = _outdated([unit for parts in units.values() for unit in parts], settings)
    print(_plan_line(units, settings), file=sys.stderr, flush=True)
    failures: dict[str, Ending] = {}
    if not todo:
        return failures
    remaining = Remaining(frames_of(todo))
    with closing(process(todo, _task(settings))) as endings:
        for count, (unit, ending) in enumerate(endings, start=1):
            if ending.status == SinkError.status:
                raise SinkError(ending.error)  # all others would end alike
            if settings.store:
                settings.store.get(unit.folder)  # of another machine
            words = f": {ending.error}" if ending.error else ""
            video = unit.segment.path
            left = remaining.ended(frames_of([unit]))
            line = (
                f"{count} of {len(todo)} ({left}): {video} from frame {unit.segment.first}{words}"
            )
            print(printable(line), file=sys.stderr, flush=True)
            if ending.status:
                failures[video] = ending
    return failures


def _join(video: str, parts: Sequence[Unit], stem: Path, failures: Mapping[str, Ending]) -> Outcome:
    """Join a video's units, if all are there; those of a damaged file too, which has failed."""
    if failure := failures.get(video):
        return Outcome(source=video, status=failure.status, error=failure.error)
    if any(difference(unit.folder, unit.origin) for unit in parts):
        return Outcome(source=video, status=BrokenSourceError.status,
                       error="its units were changed by another program: start again")  # fmt: skip
    try:
        written = join(parts, stem, video)
    except SourceError as error:
        return Outcome(source=video, status=error.status, error=str(error))
    report = {"frames": {"written": written}, "fps": None}
    reason, status = damage(parts), BrokenSourceError.status
    if not written:
        reason, status = "holds no decodable frame", SourceError.status
    return Outcome(source=video, status=status if reason else 0, error=reason, report=report)


def main(argv: Sequence[str] | None = None) -> int:
    return exit_status(lambda: run_archive(read_settings(argv)))


def read_settings(argv: Sequence[str] | None) -> ArchiveSettings:
    """Return the settings that the flags ask for.

    Raises:
        UsageError: a number is out of range, or no video is listed.
    """
    arguments = Arguments(
        prog=PROG,
        usage=f"{PROG} LIST|VIDEO ... --out DIR [flags]",
        description="Label an archive of videos on Ray: on this machine or on a cluster.",
        epilog=EPILOG,
    )
    add_fields(arguments, ArchiveSettings)
    add_fields(arguments, Recognition)
    values = arguments.parse(argv)
    recognition = recognition_of(values)
    check_recognition(recognition)
    store = Store.of(values.out) if in_store(values.out) else None
    return read_fields(
        ArchiveSettings,
        values,
        videos=tuple(listed(values.videos)),
        out=store.folder if store else local_path(values.out),
        store=store,
        recognition=recognition,
    )


if __name__ == "__main__":
    sys.exit(main())
