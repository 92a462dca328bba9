"""Runs the pipeline over an archive on Ray: `python -m realtime.batch.archive LIST --out DIR`.

Every video is shared out in parts of some frames; a part's rows and labelled segment are written
beside their final names and then renamed, so that what is there is whole. Started again, it goes
on with what is missing. In the end a video's rows become one Parquet file, its segments one mp4.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av

from preprocessing.command import exit_status
from preprocessing.errors import BrokenSourceError, GarmentError, SourceError, UsageError
from realtime.assemble import check_recognition, make_analysis
from realtime.batch.several import Outcome, sources_of, stems, table
from realtime.flags import add_recognition
from realtime.sinks.video import CONTAINER_OPTIONS, AudioCopy
from realtime.sources.segment import Part, PartSource, parts_of

UNIT_FRAMES = 1500  # a minute of video at 25 frames a second
RETRIES = 3  # of a part whose worker died
TRACKS = 1_000_000  # numbers of tracks that each part of a video has for its own
ROWS, SEGMENT, STATS = "rows.parquet", "segment.mp4", "stats.json"


@dataclass(frozen=True)
class Unit:
    """A part of a video, and the folder of what comes of it."""

    part: Part
    folder: Path
    number: int

    @property
    def done(self) -> bool:
        """Whether it has been worked on to its end."""
        return self.folder.is_dir()


def work(unit: Unit, args: argparse.Namespace) -> str:
    """Run the pipeline over a unit; why it failed, or empty."""
    from realtime.pipeline import run
    from realtime.runtime.stats import Stats
    from realtime.sinks.parquet import ParquetSink
    from realtime.sinks.video import VideoSink

    beside = unit.folder.with_name(f".{unit.folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    stats = Stats()
    try:
        with ExitStack() as stack:
            source = stack.enter_context(PartSource(unit.part))
            sinks = [ParquetSink(beside / ROWS)]
            if not args.rows_only:
                sinks.append(VideoSink(beside / SEGMENT, source.info, audio=False))
            opened = [stack.enter_context(sink) for sink in sinks]
            stats.start()
            run(source, make_analysis(args), opened, window=None, stats=stats,
                stopped=lambda: False, progress=lambda _: None)  # fmt: skip
    except BrokenSourceError:
        pass  # the part ends where the file does: its frames are counted below
    except GarmentError as error:
        return str(error)
    (beside / STATS).write_text(json.dumps(stats.report()))
    beside.rename(unit.folder)
    return ""


def units_of(video: str, folder: Path, frames: int) -> list[Unit]:
    """A video's units, whose results lie in a folder."""
    parts = parts_of(str(Path(video).resolve()), frames)
    return [Unit(part, folder / f"{n:06d}", n) for n, part in enumerate(parts)]


def shared_out(units: Sequence[Unit], args: argparse.Namespace) -> Iterator[tuple[Unit, str]]:
    """Work on units by Ray's workers; each with why it failed, or empty, as they finish.

    A worker that dies is replaced and its unit tried again; that which kills every worker has
    failed.

    Raises:
        UsageError: ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("realtime.batch.archive needs Ray: pip install ray") from error
    if not ray.is_initialized():
        ray.init(address=args.address, num_cpus=None if args.address else args.workers,
                 include_dashboard=False, log_to_driver=False, configure_logging=True,
                 logging_level="error")  # fmt: skip
    remote = ray.remote(max_retries=RETRIES, num_cpus=1)(work)
    waiting = {remote.remote(unit, args): unit for unit in units}
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


def join(units: Sequence[Unit], stem: Path, video: str) -> int:
    """Put a video's rows into `stem`.parquet and its segments into .mp4; frames that it has.

    The numbers of tracks tell the part by their millions: a garment in view while a part ends has
    another one in the next.
    """
    _join_rows(units, stem.with_suffix(".parquet"))
    if all((unit.folder / SEGMENT).is_file() for unit in units):
        _join_segments(units, stem.with_suffix(".mp4"), video)
    reports = (json.loads((unit.folder / STATS).read_text()) for unit in units)
    return sum(report["frames"]["written"] for report in reports)


def _join_rows(units: Sequence[Unit], path: Path) -> None:
    import pyarrow
    from pyarrow import compute, parquet

    beside = path.with_suffix(".new")
    schema = parquet.read_schema(units[0].folder / ROWS)
    with parquet.ParquetWriter(beside, schema) as writer:
        for unit in units:
            rows = parquet.read_table(unit.folder / ROWS, schema=schema)
            own = pyarrow.scalar(unit.number * TRACKS, pyarrow.int64())
            column = schema.get_field_index("track")
            writer.write_table(rows.set_column(column, "track", compute.add(rows["track"], own)))
    beside.rename(path)


def _join_segments(units: Sequence[Unit], path: Path, video: str) -> None:
    """Copy the segments' packets one after the other, with the video's own sound beside them."""
    beside = path.with_name(f".{path.name}")
    with ExitStack() as stack:
        output = stack.enter_context(av.open(str(beside), "w", options=dict(CONTAINER_OPTIONS)))
        stream, audio = None, None
        for unit in units:
            with av.open(str(unit.folder / SEGMENT)) as segment:
                (own,) = segment.streams.video
                if stream is None:
                    stream = output.add_stream_from_template(own)
                    with PartSource(unit.part) as source:
                        info = source.info
                    audio = AudioCopy(video, output, shift=info.shift)
                    stack.callback(audio.close)
                start, moved = unit.part.start * info.time_base + info.shift, None
                for packet in segment.demux(own):
                    if packet.dts is None:  # the demuxer's end marker
                        continue
                    if moved is None:  # an mp4 tells its start in whole milliseconds
                        moved = round(start / packet.time_base) - packet.pts
                    packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                    audio.copy_until(float(packet.pts * packet.time_base))
                    packet.stream = stream
                    output.mux(packet)
        audio.copy_until(float("inf"))
    beside.rename(path)


def run_archive(videos: Sequence[str], args: argparse.Namespace) -> int:
    """Work on all videos; 0, or the status of the first that failed."""
    outcomes: dict[str, Outcome] = {}
    units: dict[str, list[Unit]] = {}
    names = dict(zip(videos, stems(videos), strict=True))
    for video in videos:
        try:
            units[video] = units_of(video, args.out / "units" / names[video], args.unit_frames)
        except SourceError as error:
            outcomes[video] = Outcome(video, error.status, str(error))
    every = [unit for some in units.values() for unit in some]
    missing = [unit for unit in every if not unit.done]
    print(f"{len(every)} parts of {len(units)} videos, {len(missing)} to do", file=sys.stderr)
    failed: dict[str, str] = {}
    for count, (unit, why) in enumerate(shared_out(missing, args) if missing else (), start=1):
        told = f": {why}" if why else ""
        print(f"{count} of {len(missing)}: {unit.part.path} from frame {unit.part.first}{told}",
              file=sys.stderr, flush=True)  # fmt: skip
        if why:
            failed[unit.part.path] = why
    for video, some in units.items():
        why = failed.get(some[0].part.path)
        if why:
            outcomes[video] = Outcome(video, BrokenSourceError.status, why)
            continue
        count = join(some, args.out / names[video], some[0].part.path)
        outcomes[video] = Outcome(video, 0, report={"frames": {"written": count}, "fps": None})
    print(table([outcomes[video] for video in videos]), file=sys.stderr)
    return next((outcomes[v].status for v in videos if outcomes[v].status), 0)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.batch.archive",
        description="Label an archive of videos on Ray: here, or on the machines of a cluster.",
        epilog="Started again, it goes on with the parts that are missing. On a cluster --out and "
        "the videos lie on storage that all machines see.",
    )
    add = parser.add_argument
    add("list", nargs="+", metavar="LIST|VIDEO", help="text files with a video a line (.txt), "
        "videos, folders or patterns")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR", help="rows, labelled videos, and units/")
    add("--unit-frames", type=int, default=UNIT_FRAMES, help=f"of a part ({UNIT_FRAMES})")
    add("--workers", type=int, default=None, help="processes on this machine (one a core)")
    add("--address", default=None, help="of a running Ray cluster, as auto or ray://HOST:10001")
    add("--rows-only", action="store_true", help="no labelled videos")
    add_recognition(parser.add_argument_group("recognition"))
    args = parser.parse_args(argv)
    return exit_status(partial(_run, args))


def _run(args: argparse.Namespace) -> int:
    if args.unit_frames < 1 or (args.workers is not None and args.workers < 1):
        raise UsageError("--unit-frames and --workers must be at least 1")
    check_recognition(args)
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    return run_archive(_listed(args.list), args)


def _listed(names: Sequence[str]) -> list[str]:
    """The videos that lists, patterns and folders name.

    Raises:
        UsageError: a list names none, or a pattern matches nothing.
    """
    found: list[str] = []
    for name in names:
        if not name.endswith(".txt"):
            found += sources_of([name])
            continue
        try:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the list {name}: {error}") from error
        found += sources_of([line.strip() for line in lines if line.strip()])
    if not found:
        raise UsageError(f"no video in {' '.join(names)}: wanted one a line")
    return found


if __name__ == "__main__":
    sys.exit(main())
