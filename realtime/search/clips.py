"""Clips of results: packets are copied, from the key frame before to the end, nothing is encoded.

A clip begins up to a key frame's distance earlier than its result. Sound is copied along.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from preprocessing.errors import SinkError
from preprocessing.files import media_url
from realtime.search.ranking import Result

LEAD, TAIL = 1.0, 1.0  # seconds before and after
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Clip:
    """A clip to cut: seconds of a file's own time."""

    source: Path
    since: float
    until: float
    path: Path


def clips_of(results: Sequence[Result], folder: Path) -> tuple[list[Clip], list[str]]:
    """The clips of results, and the sources that are no files any more."""
    found, missing = [], []
    for rank, result in enumerate(results, start=1):
        source = Path(result.source)
        if not source.is_file():
            missing.append(result.source)
            continue
        suffix = source.suffix if source.suffix.lower() in (".mp4", ".mov", ".mkv") else ".mkv"
        for number, (since, until) in enumerate(result.spans, start=1):
            path = folder / f"{rank:03d}-{result.camera}-{number}{suffix}"
            found.append(Clip(source, since - LEAD, until + TAIL, path))
    return found, list(dict.fromkeys(missing))


def cut(clip: Clip) -> None:
    """Write a clip.

    Raises:
        SinkError: the source cannot be read, or the clip not written.
    """
    try:
        clip.path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(media_url(clip.source)) as source:
            _copy(source, clip)
    except (av.error.FFmpegError, OSError) as error:
        raise SinkError(f"cannot cut {clip.path} from {clip.source} ({error})") from error


def _copy(source: "av.container.InputContainer", clip: Clip) -> None:
    video = source.streams.video[0]
    streams = [video, *source.streams.audio[:1]]
    zero = (source.start_time or 0) / MICROSECONDS
    since, until = zero + max(0.0, clip.since), zero + clip.until
    source.seek(int(since * MICROSECONDS), backward=True)
    packets = list(_packets(source, streams, until=until))
    _complete([packet for packet in packets if packet.stream.index == video.index])
    begin = min((_seconds(packet) for packet in packets), default=0.0)
    with av.open(media_url(clip.path), "w") as target:
        copies = {one.index: target.add_stream_from_template(one) for one in streams}
        for packet in packets:
            assert packet.dts is not None, "see _complete"
            shift = round(begin / packet.time_base)
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = copies[packet.stream.index]
            target.mux_one(packet)


def _packets(
    source: "av.container.InputContainer", streams: Sequence[av.stream.Stream], *, until: float
) -> Iterator[av.Packet]:
    """The packets from the first key frame of the picture, which is the first stream, to a time."""
    begun = False
    for packet in source.demux(streams):
        picture = packet.stream.index == streams[0].index
        if not packet.size or (packet.dts is None and not picture):
            continue
        begun = begun or (picture and packet.is_keyframe)
        if picture and begun and packet.dts is not None and _seconds(packet) > until:
            return
        if begun:
            yield packet


def _seconds(packet: av.Packet) -> float:
    assert packet.dts is not None, "see _complete"
    return float(packet.dts * packet.time_base)


def _complete(packets: Sequence[av.Packet]) -> None:
    """Give decoding times to the first packets of a picture, which Matroska leaves out."""
    known = next((n for n, packet in enumerate(packets) if packet.dts is not None), None)
    if known is None:
        for packet in packets:
            packet.dts = packet.pts
        return
    last = packets[known].dts
    step = max(1, packets[known].duration or 1)
    for back, packet in enumerate(reversed(packets[:known]), start=1):
        assert last is not None, "found above"
        packet.dts = last - back * step
