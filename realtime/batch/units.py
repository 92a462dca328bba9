"""Units of an archive: segments of videos, the result files of each, and how those are joined."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av

from preprocessing.files import media_url
from realtime.batch.places import discard, sink_errors, unfinished
from realtime.batch.provenance import Origin, difference, origin_of, source_of
from realtime.batch.stores import local
from realtime.runtime.cut import Cut
from realtime.sinks.audio import AudioCopy
from realtime.sinks.destinations import MP4_OPTIONS
from realtime.sources.segments import Segment, SegmentSource, segments_of

TRACKS = 1_000_000  # numbers of tracks and of people that each unit of a video has for its own
ROWS, SEGMENT, STATS = "rows.parquet", "segment.mp4", "stats.json"
DIGITS = 6  # of the names of units


@dataclass(frozen=True)
class Unit:
    """A segment of a video, the folder of its results, its number, and what results depend on."""

    segment: Segment
    folder: Path
    number: int
    origin: Origin

    @cached_property
    def outdated(self) -> str:
        """Why it has to be made; "" if its folder holds its results."""
        return difference(self.folder, self.origin)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The frames of a unit, as its worker counts them.

    Attributes:
        written: frames that were decoded and labelled.
        failed: packets that could not be decoded, also before its first frame.
        truncated: True if the file ended before what its header promises.
        start: time of the first frame in seconds, as it is written; None if there is none.
    """

    written: int
    failed: int = 0
    truncated: bool = False
    start: Fraction | None = None

    def write(self, folder: Path) -> None:
        """Write them into a unit's folder.

        Raises:
            OSError: they cannot be written.
        """
        values = {"written": self.written, "failed": self.failed, "truncated": self.truncated,
                  "start": None if self.start is None else str(self.start)}  # fmt: skip
        (folder / STATS).write_text(json.dumps(values))

    @classmethod
    def read(cls, folder: Path) -> "Counts":
        """Those of a unit's folder."""
        values = json.loads((folder / STATS).read_text())
        start = values.pop("start")
        return cls(**values, start=None if start is None else Fraction(start))


def units_of(
    video: str,
    folder: Path,
    frames: int,
    *,
    settings: Mapping[str, Any],
    weights: Mapping[str, str],
    cut: Cut | None = None,
) -> list[Unit]:
    """Return a video's units of so many frames, with results inside a folder.

    Args:
        settings, weights: of `provenance`, on which the results depend.
        cut: whose start and end limit them; None for the whole video.

    Raises:
        SourceError: it is not a video, or ends before the cut begins.
    """
    source = source_of(video)  # first: what changes it from now on makes it another one
    with local(video) as path:
        segments = [replace(one, path=video) for one in segments_of(path, frames, cut)]
    origins = (origin_of(one, source=source, settings=settings, weights=weights)
               for one in segments)  # fmt: skip
    return [Unit(segment, folder / f"{number:0{DIGITS}d}", number, origin)
            for number, (segment, origin) in enumerate(zip(segments, origins, strict=True))
            ]  # fmt: skip


def discard_others(folder: Path, units: Sequence[Unit]) -> None:
    """Remove the units of a video's folder that it does not have any more.

    Raises:
        OSError: one cannot be renamed.
    """
    kept = {unit.folder.name for unit in units}
    for path in folder.glob("[0-9]" * DIGITS):
        if path.name not in kept:
            discard(path)


def damage(units: Sequence[Unit]) -> str:
    """The reason for which a video's results are not those of a whole file; "" if they are.

    Packets that give no picture are damage only where the container or the decoder says so: some
    codecs have pictures that are never shown.
    """
    counts = [Counts.read(unit.folder) for unit in units]
    written = sum(one.written for one in counts)
    missing = sum(unit.segment.last - unit.segment.first for unit in units) - written
    if any(one.truncated for one in counts):
        return f"is truncated: it ends after {written} frames, which are in its results"
    incomplete = sum(unit.segment.incomplete for unit in units)
    if missing > 0 and (incomplete or any(one.failed for one in counts)):
        return f"is damaged: {missing} frames are lost, the other {written} are in its results"
    if any(unit.segment.skipped for unit in units):
        return f"is damaged: parts of it cannot be read, {written} frames are in its results"
    if incomplete:
        return f"is damaged: parts of {incomplete} of its {written} frames are lost"
    return ""


def outputs_of(stem: Path) -> tuple[Path, Path]:
    """The files of rows and of the labelled video; a stem such as cam.1 keeps its dot."""
    return stem.with_name(f"{stem.name}.parquet"), stem.with_name(f"{stem.name}.mp4")


def join(units: Sequence[Unit], stem: Path, video: str) -> int:
    """Join a video's rows into `stem`.parquet and its segments into .mp4; return its frames.

    Frames are counted on from unit to unit. The millions of a track's or a person's number are the
    number of the unit: who or what is in view at the end of a unit has another number in the next.

    Raises:
        SinkError: they cannot be written.
    """
    counts = [Counts.read(unit.folder) for unit in units]
    given = [(unit, one) for unit, one in zip(units, counts, strict=True) if one.written]
    table, labelled = outputs_of(stem)
    if given:
        with sink_errors(table):
            _join_rows(given, table)
    if given and all((unit.folder / SEGMENT).is_file() for unit, _ in given):
        with local(video) as path, sink_errors(labelled):
            _join_segments(given, labelled, path)
    return sum(one.written for one in counts)


def _join_rows(units: Sequence[tuple[Unit, Counts]], path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    new, before = unfinished(path), 0
    schema = parquet.read_schema(units[0][0].folder / ROWS)
    with parquet.ParquetWriter(new, schema) as writer:
        for unit, counts in units:
            rows = parquet.read_table(unit.folder / ROWS, schema=schema)
            millions = unit.number * TRACKS
            for name, more in (("frame", before - unit.segment.first), ("track", millions),
                               ("person", millions)):  # fmt: skip
                numbers = rows[name].fill_null(0).to_numpy() + more
                column = pyarrow.array(numbers, mask=rows[name].is_null().to_numpy())
                rows = rows.set_column(schema.get_field_index(name), name, column)
            writer.write_table(rows)
            before += counts.written
    new.replace(path)


def _join_segments(units: Sequence[tuple[Unit, Counts]], path: Path, video: str) -> None:
    """Copy the packets of all segments into one file, with the audio of the whole video."""
    first_unit, _ = units[0]
    new = unfinished(path)
    with SegmentSource(replace(first_unit.segment, path=video)) as source:
        info = source.info
    with ExitStack() as stack:
        output = stack.enter_context(av.open(media_url(new), "w", options=dict(MP4_OPTIONS)))
        output.metadata.update(info.tags)
        with av.open(media_url(first_unit.folder / SEGMENT)) as first:
            stream = output.add_stream_from_template(first.streams.video[0])
        stream.metadata.update(info.track_tags)
        audio = AudioCopy(video, output, shift=info.shift, part=info.part)
        stack.callback(audio.close)
        for unit, counts in units:
            for seconds, packet in _packets(unit.folder / SEGMENT, counts.start or Fraction(0)):
                audio.copy_until(seconds)
                packet.stream = stream
                output.mux(packet)
        audio.copy_until(float("inf"))
    new.replace(path)


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
