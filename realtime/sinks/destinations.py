"""Where a labelled video goes: a file, a pipe, or a server; and how FFmpeg writes it there."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import av

from preprocessing.errors import ClosedPipeError, SinkError
from preprocessing.files import media_url
from realtime.runtime.masking import masked
from realtime.runtime.standard_output import STDOUT, open_output
from realtime.sinks.sound_tracks import fits
from realtime.sources.addresses import SCHEME
from realtime.types import Sound

# Fragments reach the disk ten times a second, so that a killed run leaves a playable file; a normal
# end turns them into an ordinary mp4. The edit list keeps a late start, or audio that starts early.
MP4_OPTIONS = {
    "movflags": "hybrid_fragmented",
    "frag_duration": "100000",
    "use_editlist": "1",
    "flush_packets": "1",
}
MKV_OPTIONS = {"flush_packets": "1"}
# FFmpeg's options for each kind of file that can be written.
CONTAINERS = {".mp4": MP4_OPTIONS, ".m4v": MP4_OPTIONS, ".mov": MP4_OPTIONS, ".mkv": MKV_OPTIONS}
# A pipe cannot go back: fragments stay fragments. The header waits for the first packets, which
# tell where the edit list begins and what AC-3 needs.
PIPE_MP4 = MP4_OPTIONS | {"movflags": "delay_moov+default_base_moof"}
# The index of an ordinary mp4 takes 80 bytes of memory a frame until the end, 206 MB a day, that of
# fragments 35: without both, memory is flat however long a live source is recorded.
ENDLESS_MP4 = MP4_OPTIONS | {"movflags": "delay_moov+default_base_moof+skip_trailer"}
KEY_FRAME_SECONDS = 2
# Picture and sound wait for each other for 0.1 s at most, not for FFmpeg's 10 s.
STREAM_OPTIONS = {"flush_packets": "1", "max_interleave_delta": "100000"}
OPENING_SECONDS = 15.0  # that a server or disk may take until it takes the first bytes
RTSP_OPTIONS = {"rtsp_transport": "tcp", "timeout": str(round(1e6 * OPENING_SECONDS))}
STREAM_FORMATS = {
    "rtmp://": ("flv", {"flvflags": "no_duration_filesize"}),
    "rtmps://": ("flv", {"flvflags": "no_duration_filesize"}),
    "rtsp://": ("rtsp", RTSP_OPTIONS),
    "rtsps://": ("rtsp", RTSP_OPTIONS),
    "udp://": ("mpegts", {}),
    "tcp://": ("mpegts", {}),
    "srt://": ("mpegts", {}),
    "rtp://": ("rtp_mpegts", {}),
}
TS_PACKETS = "pkt_size=1316"  # seven packets of a transport stream fit into one datagram


class Outlet:
    """An open pipe, through which everything goes at once and whole; a file is as a pipe here."""

    def __init__(self, file: IO[bytes]):
        self._file = file

    def write(self, data: bytes) -> int:
        """Write all of the data.

        Raises:
            OSError: nobody reads any more, or the disk is full.
        """
        self._file.write(data)
        self._file.flush()
        return len(data)

    def close(self) -> None:
        """Close it."""
        self._file.close()


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a video goes.

    Attributes:
        name: in messages.
        place: for FFmpeg; a pipe is an open file.
        format: FFmpeg's name of the container; "" for that of the suffix.
        options: of the container.
        key_frame_seconds: between key frames, at which a viewer can begin.
        path: of a file, which can be mended; None for pipes and streams.
        live: True for a stream, which is sent at the pace of its times.
    """

    name: str
    place: "str | Outlet"
    format: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    key_frame_seconds: float = KEY_FRAME_SECONDS
    path: Path | None = None
    live: bool = False

    def open(self) -> "av.container.OutputContainer":
        """Open the container; a server is not reached yet.

        Raises:
            FFmpegError, OSError, ValueError: it cannot be opened.
        """
        options = dict(self.options)
        return av.open(self.place, "w", format=self.format or None, options=options)

    def close(self) -> None:
        """Close a pipe."""
        if not isinstance(self.place, str):
            with suppress(OSError):  # what was written has left
                self.place.close()

    def failed(self, error: Exception, *, begun: bool) -> SinkError:
        """Return an error of writing as one of the app's.

        Args:
            begun: True once something was written.
        """
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else str(error)
        if self.live:
            return SinkError(self._why_not_sent(error, reason, begun=begun))
        if number == errno.EPIPE:
            return ClosedPipeError(f"the reader of {self.name} took no more")
        if number == errno.ENOSPC:
            return SinkError(f"disk full while writing {self.name}: what is there is playable")
        return SinkError(f"cannot write {self.name}: {reason}")

    def _why_not_sent(self, error: Exception, reason: str, *, begun: bool) -> str:
        if isinstance(error, av.ProtocolNotFoundError):
            scheme = self.name.partition(":")[0]
            return f"cannot send to {self.name}: the FFmpeg of this PyAV has no {scheme}"
        if begun:
            return f"the connection to {self.name} was lost ({reason}): start again to continue"
        return (
            f"cannot send to {self.name} ({reason}): nobody listens there, start the server first"
        )


def file_destination(path: Path, *, endless: bool = False) -> Destination:
    """Return a file; its suffix is one of CONTAINERS.

    Args:
        endless: True if it may become so long that its index would fill the memory.
    """
    options = CONTAINERS[path.suffix.lower()]
    options = ENDLESS_MP4 if endless and options is MP4_OPTIONS else options
    return Destination(name=str(path), place=media_url(path), options=options, path=path)


def pipe_destination(path: Path, sound: Sound | None) -> Destination:
    """Open stdout, a named pipe or a device, for a fragmented mp4 or Matroska.

    Args:
        path: its suffix decides; without one, Matroska is taken for sound that mp4 cannot hold.

    Raises:
        OSError: it cannot be opened.
        SinkError: nobody reads the pipe, for whom the run would wait without end.
    """
    mkv = path.suffix.lower() == ".mkv" or (not path.suffix and _needs_mkv(sound))
    return Destination(
        name="stdout" if path == STDOUT else str(path),
        place=Outlet(open_output(path, "wb")),
        format="matroska" if mkv else "mp4",
        options=MKV_OPTIONS if mkv else PIPE_MP4,
    )


def _needs_mkv(sound: Sound | None) -> bool:
    if sound is None:
        return False
    samples = sound.samples()
    trials = [(track, samples.get(track.index)) for track in sound.tracks]
    return any(
        not fits(track, "mp4", sample) and fits(track, "matroska", sample)
        for track, sample in trials
    )


def is_file_like(path: Path) -> bool:
    """True for a path under which a file can be written, and replaced."""
    return path != STDOUT and (path.is_file() or not path.exists())


def stream_destination(url: str) -> Destination:
    """Return a server that takes a stream, with little delay; its scheme is of STREAM_FORMATS."""
    scheme = SCHEME.match(url)
    kind, options = STREAM_FORMATS[scheme[0] if scheme else ""]
    datagrams = kind == "mpegts" and url.startswith("udp") and "pkt_size=" not in url
    return Destination(
        name=masked(url),
        place=f"{url}{'&' if '?' in url else '?'}{TS_PACKETS}" if datagrams else url,
        format=kind,
        options={**STREAM_OPTIONS, **options},
        key_frame_seconds=1,
        live=True,
    )
