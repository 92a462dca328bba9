"""Runs the pipeline over an archive on Ray: `python -m realtime.batch.archive LIST --out DIR`.

Every video is divided into units of some frames. The rows and the labelled segment of a unit are
written under temporary names and then renamed, so that a unit's folder is complete if it exists.
Started again, the command processes the units that are missing. At the end the rows of a video
become one Parquet file, and its segments one mp4.
"""

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from preprocessing.errors import (
    BrokenSourceError,
    GarmentError,
    SinkError,
    SourceError,
    UsageError,
    exit_status,
)
from preprocessing.flags import NOT_NEGATIVE, POSITIVE, Arguments, Flag, add_fields, read_fields
from realtime.assemble import check_recognition, make_analysis
from realtime.batch.inputs import expand, inputs_of
from realtime.batch.several import Outcome, file_names, table
from realtime.batch.units import ROWS, SEGMENT, STATS, Unit, join, outputs_of, units_of, video_of
from realtime.cut import Cut, read_seconds
from realtime.settings import TIME, Recognition, recognition_of
from realtime.sinks.sink_table import OutputSettings, make_sinks
from realtime.sources.segments import SegmentSource

RETRIES = 3  # of a unit whose worker died
PROG = "python -m realtime.batch.archive"
EPILOG = f"""\
Started again, it processes the units that are missing. On a cluster, --out and
the videos are on storage that all machines see.

example:
  {PROG} 'archive/**/*.mp4' --out labelled --rows-only

exit status:
  0 success; 2 wrong flag; otherwise that of the first video that failed:
  3 cannot be opened, 4 a worker failed
"""


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """Everything that the flags of this command decide."""

    videos: Annotated[
        tuple[str, ...],
        Flag(
            "text files with a video a line (.txt), videos, folders or patterns",
            name="videos",
            metavar="LIST|VIDEO",
            nargs="+",
        ),
    ]
    out: Annotated[Path, Flag("folder for rows, labelled videos, and units/", metavar="DIR")]
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
    recognition: Recognition = field(default_factory=Recognition)

    @property
    def cut(self) -> Cut:
        """The part of every video that is processed."""
        return Cut(start=self.start, end=self.end)

    def units_in(self, name: str) -> Path:
        """The folder of a video's units: another one for each part of it."""
        ends = f" {float(self.start):g}-{'' if self.end is None else f'{float(self.end):g}'}"
        return self.out / "units" / f"{name}{ends if self.cut else ''}"


def work(unit: Unit, settings: ArchiveSettings) -> str:
    """Run the pipeline over a unit; return the reason of a failure, or ""."""
    from realtime.pipeline import run
    from realtime.runtime.stats import Stats

    unfinished = unit.folder.with_name(f".{unit.folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    stats = Stats()
    try:
        paths = {"parquet": unfinished / ROWS}
        if not settings.rows_only:
            paths["out"] = unfinished / SEGMENT
        sinks = make_sinks(OutputSettings(paths=paths, audio=False))
        with SegmentSource(unit.segment) as source:
            run(source, make_analysis(settings.recognition), sinks, stats=stats,
                stopped=lambda: False, progress=lambda _: None)  # fmt: skip
    except BrokenSourceError:
        pass  # the unit ends where the file does; its frames are counted below
    except GarmentError as error:
        return str(error)
    (unfinished / STATS).write_text(json.dumps(stats.report()))
    unfinished.rename(unit.folder)
    return ""


def process(units: Sequence[Unit], settings: ArchiveSettings) -> Iterator[tuple[Unit, str]]:
    """Process units by Ray's workers; yield each with the reason of its failure, or "".

    A worker that dies is replaced and its unit tried again; a unit that kills every worker has
    failed.

    Raises:
        UsageError: ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("realtime.batch.archive needs Ray: pip install ray") from error
    if not ray.is_initialized():
        workers = None if settings.cluster else settings.workers
        ray.init(address=settings.cluster, num_cpus=workers, include_dashboard=False,
                 log_to_driver=False, logging_level=logging.ERROR)  # fmt: skip
    remote = ray.remote(max_retries=RETRIES, num_cpus=1)(work)
    waiting = {remote.remote(unit, settings): unit for unit in units}
    try:
        while waiting:
            (finished, *_), _ = ray.wait(list(waiting))
            unit = waiting.pop(finished)
            try:
                yield unit, ray.get(finished)
            except ray.exceptions.RayError as error:
                yield unit, f"its worker died {RETRIES + 1} times ({type(error).__name__})"
    finally:
        ray.shutdown()


def run_archive(settings: ArchiveSettings) -> int:
    """Process all videos; return 0, or the status of the first that failed."""
    outcomes: dict[str, Outcome] = {}
    units: dict[str, list[Unit]] = {}
    names = dict(zip(settings.videos, file_names(settings.videos), strict=True))
    _refuse_inputs(settings, names)
    settings.out.mkdir(parents=True, exist_ok=True)
    for video in settings.videos:
        folder = settings.units_in(names[video])
        try:
            units[video] = units_of(video, folder, settings.unit_frames, settings.cut)
        except SourceError as error:
            outcomes[video] = Outcome(source=video, status=error.status, error=str(error))
    failures = _process_missing(units, settings)
    for video, parts in units.items():
        path = parts[0].segment.path
        if reason := failures.get(path):
            status = BrokenSourceError.status
            outcomes[video] = Outcome(source=video, status=status, error=reason)
            continue
        count = join(parts, settings.out / names[video], path)
        report = {"frames": {"written": count}, "fps": None}
        outcomes[video] = Outcome(source=video, status=0, report=report)
    ordered = [outcomes[video] for video in settings.videos]
    print(table(ordered), file=sys.stderr)
    return next((outcome.status for outcome in ordered if outcome.status), 0)


def _refuse_inputs(settings: ArchiveSettings, names: Mapping[str, str]) -> None:
    """Refuse an --out in which the result of a video would replace an input or another's result.

    Raises:
        SinkError: it would.
    """
    inputs = inputs_of(settings.videos, settings.recognition)
    for video, name in names.items():
        for path in outputs_of(settings.out / name):
            inputs.keep_from("--out", path)
        if (other := video_of(settings.units_in(name))) not in (
            "",
            str(Path(video).resolve()),
        ):
            raise SinkError(f"{settings.out} holds the results of {other} as {name}, the name of "
                            f"{video} here: give another --out DIR")  # fmt: skip


def _process_missing(
    units: Mapping[str, Sequence[Unit]], settings: ArchiveSettings
) -> dict[str, str]:
    """Process the units that are not done; return the reasons of failures by path of the video."""
    every = [unit for parts in units.values() for unit in parts]
    missing = [unit for unit in every if not unit.done]
    print(f"{len(every)} units of {len(units)} videos, {len(missing)} to do", file=sys.stderr)
    failures: dict[str, str] = {}
    results = process(missing, settings) if missing else ()
    for count, (unit, reason) in enumerate(results, start=1):
        print(f"{count} of {len(missing)}: {unit.segment.path} from frame {unit.segment.first}"
              f"{f': {reason}' if reason else ''}", file=sys.stderr, flush=True)  # fmt: skip
        if reason:
            failures[unit.segment.path] = reason
    return failures


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
    videos = tuple(listed(values.videos))
    return read_fields(
        ArchiveSettings, values, videos=videos, out=values.out.resolve(), recognition=recognition
    )


def listed(names: Sequence[str]) -> list[str]:
    """Return the videos that lists, patterns and folders name.

    Raises:
        UsageError: a list names none, or a pattern matches nothing.
    """
    found: list[str] = []
    for name in names:
        found += map(str, expand(_lines(name) if name.endswith(".txt") else [name]))
    if not found:
        raise UsageError(f"no video in {' '.join(names)}: wanted one a line")
    return found


def _lines(name: str) -> list[str]:
    try:
        lines = os.fsdecode(Path(name).read_bytes()).splitlines()  # names may be no UTF-8
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {error}") from error
    return [line.strip() for line in lines if line.strip()]


if __name__ == "__main__":
    sys.exit(main())
