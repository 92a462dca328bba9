"""The table of sinks: the flag of each output, and what makes the sink behind it.

Imports a sink's own file only to make one, so that --help answers at once.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.errors import SinkError, UsageError
from preprocessing.files import Inputs, place
from realtime.runtime.standard_output import STDOUT
from realtime.sinks.encoders import DEFAULT
from realtime.sinks.events.settings import LABELLED, EventSettings

if TYPE_CHECKING:
    from realtime.sinks.sink import Sink

STATS = "stats"  # the output that is no sink: counts and stage times as JSON, written at the end


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """Files and folders to write.

    Attributes:
        paths: by output, which is a row of SINKS or STATS; only those that are wanted. STDOUT is
            standard output.
        stream: URL to which the labelled video is sent; "" for none.
        audio: True to copy the source's audio into the video.
        place: of the camera, in words, for the index.
        terminal: True to print the garments, for pictures without any other output.
        encoder: of the video, a name of ENCODERS or "auto".
        events: their receivers, but for files.
    """

    paths: Mapping[str, Path] = field(default_factory=dict)
    stream: str = ""
    audio: bool = True
    place: str = ""
    terminal: bool = False
    encoder: str = DEFAULT
    events: EventSettings = field(default_factory=EventSettings)

    def __bool__(self) -> bool:
        """True if anything is written or printed."""
        return bool(self.paths or self.stream or self.terminal or self.events)

    @property
    def takes_events(self) -> bool:
        """True if any output is for events."""
        return bool(self.events) or any(name.startswith("event") for name in self.paths)


@dataclass(frozen=True, kw_only=True)
class SinkRow:
    """An output: `--NAME FILE`, or `--NAME DIR` for a folder.

    Attributes:
        make: from the path and all outputs to a sink that is not open yet.
        suffix: of the file that each of several sources has in a folder; "" if it is a folder.
        help: of the flag.
        letter: short spelling of the flag, e.g. "-o".
        stream: True if it is written from start to end, so that a pipe can take it.
        may_be_empty: True if nothing to write is an empty file, as for rows.
        files: of a folder, a pattern of the names that are written into it.
        shared: True for a folder that several sources write into.
    """

    make: "Callable[[Path, OutputSettings], Sink]"
    suffix: str
    help: str
    letter: str = ""
    stream: bool = False
    may_be_empty: bool = False
    files: str = ""
    shared: bool = False

    @property
    def is_folder(self) -> bool:
        """True if it is a folder of files."""
        return not self.suffix


def _video_or_picture(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.destinations import CONTAINERS, is_file_like
    from realtime.sinks.pictures import PICTURE_SUFFIXES, PictureSink
    from realtime.sinks.video import VideoSink

    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return PictureSink(path)
    if suffix in CONTAINERS or not is_file_like(path):
        return VideoSink(path, audio=outputs.audio, encoder=outputs.encoder)
    raise SinkError(
        f"unknown kind of output {path}: wanted {' '.join((*CONTAINERS, *PICTURE_SUFFIXES))}"
    )


def _jsonl(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.rows import JsonlSink

    return JsonlSink(path)


def _csv(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.rows import CsvSink

    return CsvSink(path)


def _parquet(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.rows import ParquetSink

    return ParquetSink(path)


def _srt(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.subtitles import SubtitleSink

    return SubtitleSink(path, suffix=".srt")


def _vtt(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.subtitles import SubtitleSink

    return SubtitleSink(path, suffix=".vtt")


def _snapshots(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.pictures import SnapshotSink

    return SnapshotSink(path)


def _crops(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.pictures import CropSink

    return CropSink(path)


def _report(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.report import ReportSink

    return ReportSink(path)


def _index(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.index import IndexSink

    return IndexSink(path, place=outputs.place)


def _events(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.events.json_lines import EventLog

    return EventLog(path)


def _event_clips(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.events.pictures import EventClips

    before, after = outputs.events.event_seconds
    return EventClips(
        path,
        before=before,
        after=after,
        labelled=outputs.events.event_picture == LABELLED,
        audio=outputs.audio,
        encoder=outputs.encoder,
    )


def _event_snapshots(path: Path, outputs: OutputSettings) -> "Sink":
    from realtime.sinks.events.pictures import EventSnapshots

    return EventSnapshots(path, labelled=outputs.events.event_picture == LABELLED)


SINKS: dict[str, SinkRow] = {
    "out": SinkRow(
        make=_video_or_picture,
        letter="-o",
        suffix=".mp4",
        stream=True,
        help="labelled video (.mp4 .m4v .mov .mkv) or picture (.png .jpg .webp .bmp .tif); a file "
        "that exists, here and below, is replaced once the new one is whole. - is stdout, rtmp://, "
        "rtsp://, udp://, tcp://, srt:// and rtp:// a server",
    ),
    "jsonl": SinkRow(
        make=_jsonl,
        suffix=".jsonl",
        stream=True,
        may_be_empty=True,
        help="one JSON row for each garment and frame; - is stdout, here and for --csv, --srt, "
        "--vtt and --stats",
    ),
    "csv": SinkRow(
        make=_csv, suffix=".csv", stream=True, may_be_empty=True, help="the same rows as CSV"
    ),
    "parquet": SinkRow(
        make=_parquet, suffix=".parquet", help="the same rows as Parquet (needs pyarrow)"
    ),
    "srt": SinkRow(
        make=_srt, suffix=".srt", stream=True, may_be_empty=True, help="labels as subtitles"
    ),
    "vtt": SinkRow(
        make=_vtt,
        suffix=".vtt",
        stream=True,
        may_be_empty=True,
        help="labels as subtitles for browsers",
    ),
    "snapshots": SinkRow(
        make=_snapshots,
        suffix="",
        files=r"frame-\d{6,}(-\d+)?\.png",
        help="a PNG of each newly labelled garment; not into a folder of another run",
    ),
    "crops": SinkRow(
        make=_crops,
        suffix="",
        files=r"\d{6,}\.jpg|crops\.csv",
        help="the best picture of each garment; not into a folder of another run",
    ),
    "report": SinkRow(
        make=_report, suffix=".html", help="HTML page of the garments and their times in view"
    ),
    "index": SinkRow(
        make=_index,
        suffix="",
        shared=True,
        help="append the garments to an index for `python -m realtime.search DIR WORDS` (needs "
        "pyarrow)",
    ),
    "events": SinkRow(
        make=_events,
        suffix=".events.jsonl",
        stream=True,
        may_be_empty=True,
        help="one JSON object for each event: first seen, entered, left, crossed, rule broken, "
        "source lost, source back",
    ),
    "event-clips": SinkRow(
        make=_event_clips,
        suffix="",
        help="an mp4 of some seconds before and after each event, with the sound of a file",
    ),
    "event-snapshots": SinkRow(
        make=_event_snapshots, suffix="", help="a JPEG of the frame of each event"
    ),
}


def make_sinks(outputs: OutputSettings) -> list["Sink"]:
    """Make the sinks of the outputs; none is open yet.

    Raises:
        SinkError: an output is of an unknown kind.
        UsageError: a library is not installed.
        DeviceError: the encoder is not here.
    """
    made = [row.make(outputs.paths[name], outputs) for name, row in SINKS.items()
            if name in outputs.paths]  # fmt: skip
    if outputs.stream:
        from realtime.sinks.video import VideoSink

        made.append(VideoSink(outputs.stream, audio=outputs.audio, encoder=outputs.encoder))
    if outputs.terminal:
        from realtime.sinks.terminal import TerminalSink

        made.append(TerminalSink())
    if outputs.events:
        from realtime.sinks.events.receivers import receivers

        made += receivers(outputs.events)
    return made


def refuse_inputs(outputs: OutputSettings, inputs: Inputs, *, log: Path | None = None) -> None:
    """Refuse outputs that would replace an input of the command, or each other.

    Args:
        log: the file of --log, which is written as well.

    Raises:
        SinkError: an output is an input, or a file of an input folder.
        UsageError: two outputs are one file.
    """
    flags: dict[str, str] = {}  # by the place of a file
    for flag, path in (*_written(outputs), *([("--log", log)] if log else ())):
        inputs.keep_from(flag, path)
        if path == STDOUT and (other := flags.setdefault(str(path), flag)) != flag:
            raise UsageError(
                f"{other} and {flag} cannot both go to stdout: give one of them a file"
            )
        if path.exists() and not path.is_file():
            continue  # a folder may hold several outputs, and a device takes them
        if (other := flags.setdefault(place(path), flag)) != flag:
            raise UsageError(f"{other} and {flag} are the same file {path}: give one of them "
                             "another name")  # fmt: skip


def _written(outputs: OutputSettings) -> Iterator[tuple[str, Path]]:
    """The flag and the path of everything that the outputs write, as far as it is known."""
    for name, path in outputs.paths.items():
        row = SINKS.get(name)
        flag = row.letter if row and row.letter else f"--{name}"
        yield flag, path
        if name == "parquet":
            yield flag, path.with_name(f"{path.name}.parts")
        if name == "crops":
            yield flag, path / "crops.csv"


def check_outputs(outputs: OutputSettings) -> None:
    """Find early, before any is opened, what would keep outputs from being written.

    Raises:
        SinkError: a folder is missing, not writable, or holds the pictures of another run; an
            output is of an unknown kind.
        UsageError: a library is not installed.
        DeviceError: the encoder is not here.
    """
    for name, path in outputs.paths.items():
        row = SINKS.get(name)
        if path == STDOUT:
            _check_stdout(name)
        elif row and row.is_folder:
            _check_folder(path, flag=f"--{name}", files=row.files)
        else:
            _check_file(path, stream=bool(row and row.stream))
    make_sinks(outputs)


def _check_folder(path: Path, *, flag: str, files: str) -> None:
    """Refuse a folder of another run: files of one name would be lost, the others mixed up."""
    try:
        old = [entry.name for entry in os.scandir(path) if re.fullmatch(files, entry.name)]
    except OSError:
        return  # it is made, or the sink reports what is wrong with it
    if old:
        raise SinkError(f"{path} holds {len(old)} files of another run, such as {min(old)}: give "
                        f"another {flag} DIR, or remove them")  # fmt: skip


def _check_stdout(name: str) -> None:
    """Refuse what a pipe cannot take."""
    row = SINKS.get(name)
    if name != STATS and not (row and row.stream):
        raise SinkError(f"--{name} cannot go to stdout: name a file")


def _check_file(path: Path, *, stream: bool) -> None:
    if path.is_dir():
        raise SinkError(f"output {path} is a folder: name a file in it")
    if not stream and path.exists() and not path.is_file():
        raise SinkError(f"output {path} is no plain file: only videos and rows can go there")
    if not path.parent.is_dir():
        raise SinkError(f"no folder {path.parent} for {path.name}: `mkdir -p {path.parent}`")
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise SinkError(f"no permission to write {path}: check its permissions")
    folder = Path(os.path.realpath(path)).parent
    if path.is_file() and not os.access(folder, os.W_OK):
        raise SinkError(f"no permission to write into {folder}, where the new {path.name} is "
                        "written before it replaces the old one: give another folder"
                        )  # fmt: skip
