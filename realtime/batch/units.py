"""Units of an archive: segments of videos, the result files of each, and how those are joined."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from preprocessing.files import free_path, media_url
from realtime.cut import Cut
from realtime.sinks.audio import AudioCopy
from realtime.sinks.destinations import MP4_OPTIONS
from realtime.sources.segments import Segment, SegmentSource, segments_of

TRACKS = 1_000_000  # numbers of tracks and of people that each unit of a video has for its own
ROWS, SEGMENT, STATS = "rows.parquet", "segment.mp4", "stats.json"
VIDEO = "video.txt"  # names the video beside its units


@dataclass(frozen=True)
class Unit:
    """A segment of a video, the folder of its results, and its number in the video."""

    segment: Segment
    folder: Path
    number: int

    @property
    def done(self) -> bool:
        """True if it was processed to its end."""
        return self.folder.is_dir()


def video_of(folder: Path) -> str:
    """The video whose units are in a folder; "" if that is not known."""
    try:
        return (folder / VIDEO).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def units_of(video: str, folder: Path, frames: int, cut: Cut | None = None) -> list[Unit]:
    """Return a video's units of so many frames, with results inside a folder that is made.

    Args:
        cut: whose start and end limit them; None for the whole video.

    Raises:
        SourceError: it is not a video, or ends before the cut begins.
    """
    path = str(Path(video).resolve())
    segments = segments_of(path, frames, cut)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / VIDEO).write_text(path, encoding="utf-8", errors="surrogateescape")
    return [Unit(segment, folder / f"{n:06d}", n) for n, segment in enumerate(segments)]


def outputs_of(stem: Path) -> tuple[Path, Path]:
    """The files of rows and of the labelled video; a stem such as cam.1 keeps its dot."""
    return stem.with_name(f"{stem.name}.parquet"), stem.with_name(f"{stem.name}.mp4")


def join(units: Sequence[Unit], stem: Path, video: str) -> int:
    """Join a video's rows into `stem`.parquet and its segments into .mp4; return its frames.

    The millions of a track's or a person's number are the number of the unit: who or what is in
    view at the end of a unit has another number in the next.
    """
    table, labelled = outputs_of(stem)
    _join_rows(units, table)
    if all((unit.folder / SEGMENT).is_file() for unit in units):
        _join_segments(units, labelled, video)
    reports = (json.loads((unit.folder / STATS).read_text()) for unit in units)
    return sum(report["frames"]["written"] for report in reports)


def _join_rows(units: Sequence[Unit], path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    unfinished = free_path(path.with_name(f".{path.name}.new"))
    schema = parquet.read_schema(units[0].folder / ROWS)
    with parquet.ParquetWriter(unfinished, schema) as writer:
        for unit in units:
            rows = parquet.read_table(unit.folder / ROWS, schema=schema)
            for name in ("track", "person"):
                numbers = rows[name].fill_null(0).to_numpy() + unit.number * TRACKS
                column = pyarrow.array(numbers, mask=rows[name].is_null().to_numpy())
                rows = rows.set_column(schema.get_field_index(name), name, column)
            writer.write_table(rows)
    unfinished.replace(path)


def _join_segments(units: Sequence[Unit], path: Path, video: str) -> None:
    """Copy the packets of all segments into one file, with the audio of the whole video."""
    unfinished = free_path(path.with_name(f".new-{path.name}"))
    with SegmentSource(units[0].segment) as source:
        info = source.info
    with ExitStack() as stack:
        output = stack.enter_context(av.open(media_url(unfinished), "w", options=dict(MP4_OPTIONS)))
        output.metadata.update(info.tags)
        with av.open(media_url(units[0].folder / SEGMENT)) as first:
            stream = output.add_stream_from_template(first.streams.video[0])
        stream.metadata.update(info.track_tags)
        audio = AudioCopy(video, output, shift=info.shift, part=info.part)
        stack.callback(audio.close)
        for unit in units:
            start = unit.segment.start * info.time_base + info.shift
            for seconds, packet in _packets(unit.folder / SEGMENT, start):
                audio.copy_until(seconds)
                packet.stream = stream
                output.mux(packet)
        audio.copy_until(float("inf"))
    unfinished.replace(path)


def _packets(segment: Path, start: Fraction) -> Iterator[tuple[float, av.Packet]]:
    """Yield the video packets of a segment, moved to begin at `start` seconds, after their times.

    The shift is exact: an mp4 stores its own start in whole milliseconds.
    """
    with av.open(media_url(segment)) as container:
        shift = None
        for packet in container.demux(container.streams.video[0]):
            if packet.pts is None or packet.dts is None:  # the demuxer's end marker
                continue
            if shift is None:
                shift = round(start / packet.time_base) - packet.pts
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            yield float(packet.pts * packet.time_base), packet
