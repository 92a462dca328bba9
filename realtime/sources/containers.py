"""Containers of videos: how they are opened, which streams count, when they begin and end."""

import logging
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache, partial
from time import monotonic
from typing import Protocol

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.stream import Discard, Disposition

from preprocessing.errors import DeviceError, SourceError
from realtime.runtime.certificates import (
    VerifiedFiles,
    refused_because,
    tls_options,
)
from realtime.runtime.masking import login_refused, masked
from realtime.sources.live_packets import rtsp_options
from realtime.sources.source import OPENING_SECONDS, no_picture

AUTO, NONE = "auto", "none"  # of --hwaccel, beside FFmpeg's names of devices
READ_TIMEOUT = 5.0  # seconds, of network streams
HLS_TIMEOUT = 30.0  # seconds; its segments are long
PROBING = "500000"  # microseconds
# Pictures beside the video: covers, and thumbnails of its chapters.
COVERS = Disposition.attached_pic | Disposition.timed_thumbnails
# By which sound begins before its picture only for its decoder's sake: at most a block of AAC of
# 8,000 samples a second.
PRIMING = Fraction(13, 100)  # seconds
TECHNICAL_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
TRACK_TAGS = ("language", "title", "creation_time")
logger = logging.getLogger(__name__)


class ByteReader(Protocol):
    """An open file, which can also be moved in if it has `seek` and `tell`."""

    def read(self, size: int, /) -> bytes:
        """Return what is there, at most `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def open_container(
    place: str | ByteReader,
    url: str,
    *,
    network: bool,
    hwaccel: str,
    insecure: bool = False,
    seconds: float = OPENING_SECONDS,
) -> "av.container.InputContainer":
    """Open a video.

    Args:
        place: its location for FFmpeg, or an open file.
        url: its name in messages, which may hold a password.
        network: True for a stream, or a file on a server.
        hwaccel: FFmpeg's name of the device that decodes, cuda:1 for the second; NONE or "" for
            the CPU, AUTO for a device that is there and can decode this, else the CPU.
        insecure: True to take a stream from servers whose certificates are not trusted.
        seconds: that a stream may take.

    Raises:
        SourceError: it does not open, or its server is not trusted.
        DeviceError: there is no such device, or it cannot decode this.
    """
    timeout = (seconds, HLS_TIMEOUT if ".m3u8" in url else READ_TIMEOUT) if network else None
    options: dict[str, str] = {}
    begun = monotonic()
    if isinstance(place, str) and place.startswith("rtsp"):
        place, options = rtsp_options(place)
    if url.startswith("tcp:"):  # maybe without times, which arrival gives: little may come at once
        options["analyzeduration"] = PROBING
    verifies = network and not insecure
    if verifies:
        options |= tls_options(url)
    try:
        opened = partial(av.open, mode="r", timeout=timeout, metadata_errors="replace",
                         hwaccel=_decoder(hwaccel))  # fmt: skip
        if verifies and url.startswith("https:") and ".m3u8" in url:
            return _verified_hls(opened, url, options)
        container = opened(place, options=options)
        if verifies and url.startswith("https:") and container.format.name == "hls":
            container.close()
            return _verified_hls(opened, url, options)
        return container
    except (av.FFmpegError, OSError, RuntimeError, UnicodeError) as error:
        # FFmpeg calls a stream that is silent now interrupted, now invalid.
        if isinstance(error, av.ExitError) or (network and monotonic() >= begun + seconds):
            raise no_picture(masked(url), seconds) from error
        if verifies and (reason := refused_because(url)):
            raise SourceError(f"cannot open {masked(url)}: {reason}") from error
        if hwaccel in ("", NONE, AUTO):
            raise SourceError(_why_not_open(masked(url), error)) from error
        raise DeviceError(
            f"{hwaccel} cannot decode {masked(url)} ({masked(str(error))}): use --hwaccel auto"
        ) from error


def _verified_hls(
    opened: Callable[..., "av.container.InputContainer"], url: str, options: dict[str, str]
) -> "av.container.InputContainer":
    """Open an HLS source whose segments come from servers with certificates that are trusted.

    Raises:
        SourceError: a server is not trusted, or does not answer.
        FFmpegError, OSError: it does not open.
    """
    files = VerifiedFiles(HLS_TIMEOUT)
    first = files.opened(url)
    first.close()
    try:
        if files.error:
            raise SourceError(f"cannot open {files.error}")
        # Connections that are kept for several files are not those of `io_open`.
        options = options | {"http_persistent": "0"}
        return opened(first.url, format="hls", options=options, io_open=files)
    except av.FFmpegError as error:
        if files.error:
            raise SourceError(f"cannot open {files.error}") from error
        raise


def _decoder(name: str) -> "HWAccel | None":
    """PyAV's handle of a device that decodes and copies its pictures to main memory.

    Raises:
        DeviceError: there is no such device here.
    """
    if name in ("", NONE):
        return None
    if name == AUTO:
        found = next(iter(decoding_devices()), None)
        return HWAccel(device_type=found, allow_software_fallback=True) if found else None
    kind, _, number = name.partition(":")
    _require(kind)
    return HWAccel(device_type=kind, device=number or None, allow_software_fallback=False)


def _require(name: str) -> None:
    """Check that a device decodes here.

    Raises:
        DeviceError: it does not.
    """
    have, built = decoding_devices(), hwdevices_available()
    if name not in have:
        why = "no such device decodes video here" if name in built else "FFmpeg knows none such"
        raise DeviceError(f"--hwaccel {name}: {why}, and {' and '.join(have) or 'no other'} does: "
                          f"use --hwaccel {' or '.join(('auto', NONE, *have))}")  # fmt: skip


@cache
def decoding_devices() -> tuple[str, ...]:
    """FFmpeg's names of the devices that are here and decode H.264: each is opened to see it."""
    codec = av.Codec("h264", "r")
    found = []
    for name in hwdevices_available():
        try:
            HWAccel(device_type=name).create(codec)
        except (av.FFmpegError, OSError, RuntimeError, ValueError) as error:  # also: not for H.264
            logger.debug("%s does not decode: %s", name, error)
        else:
            found.append(name)
    return tuple(found)


def log_decoder(picture: "av.VideoFrame", name: str) -> None:
    """Log what decodes a stream for which a device was chosen, by its first picture.

    Pictures of devices come down as NV12 and its kin, those of decoders on the CPU as planes.
    """
    device = next(iter(decoding_devices()), None)
    if device and picture.format.name.startswith(("nv", "p0", "p2", "p4")):
        logger.info("%s is decoded on %s", name, device)
    elif device:
        logger.warning("--hwaccel auto: %s cannot decode %s, the CPU does", device, name)
    else:
        logger.warning("--hwaccel auto: no device here decodes video, the CPU does")


def _why_not_open(url: str, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"no permission to read {url}: check its permissions"
    if isinstance(error, av.ProtocolNotFoundError):
        missing = f"the FFmpeg of this PyAV has no {url.partition(':')[0]}"
        return f"cannot open {url}: {missing}; let another program read it, `COMMAND | ... -`"
    if isinstance(error, av.InvalidDataError):
        return f"not a video: {url}"
    if isinstance(error, av.HTTPUnauthorizedError):
        return login_refused(url)
    reason = getattr(error, "strerror", None) or masked(str(error))
    return f"cannot open {url}: {reason}"


def picture_stream(container: "av.container.InputContainer") -> "av.VideoStream | None":
    """The video that FFmpeg's player would show: no cover; of several the default, the largest.

    A codec that is not known here stands behind all others; of an HLS master's variants of one
    size, the one with the highest rate of bits is best.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & COVERS]
    return max(videos, key=_rank, default=None)


def _rank(stream: "av.VideoStream") -> tuple[int, ...]:
    context, default = stream.codec_context, bool(stream.disposition & Disposition.default)
    if not context:
        return (0,)
    bits = stream.metadata.get("variant_bitrate", "")
    rate = int(bits) if bits.isdigit() else context.bit_rate or 0
    return 1, default, context.width * context.height, rate


def discard_others(
    container: "av.container.InputContainer", kept: Iterable["av.stream.Stream"]
) -> None:
    """Read no packets of other streams than these; other variants of an HLS master not at all."""
    indices = {stream.index for stream in kept}
    for stream in container.streams:
        if stream.index not in indices:
            stream.discard = Discard.all


def beginning(picture: Fraction, sounds: Iterable[Fraction]) -> Fraction:
    """The time of a file, in seconds, that becomes 0, by the first times of its streams.

    A file that begins at 0 stays as it is, also where the picture comes later.
    """
    first = min((picture, *sounds))
    if first <= 0 <= picture:
        return Fraction(0)
    return picture if picture - first <= PRIMING else first


def sound_starts(container: "av.container.InputContainer") -> list[Fraction]:
    """The first times of all sound tracks in seconds, of those that know it."""
    return [
        stream.start_time * stream.time_base
        for stream in container.streams.audio
        if stream.start_time is not None and stream.time_base
    ]


def file_tags(container: "av.container.InputContainer") -> dict[str, str]:
    """The tags of a file that belong to what it shows: title, creation time and the like."""
    return {
        key: value for key, value in container.metadata.items() if key.lower() not in TECHNICAL_TAGS
    }


def track_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """The tags of one track that its copy keeps."""
    tags = {key.lower(): value for key, value in metadata.items()}
    tags.setdefault("title", tags.get("name", ""))  # in mp4
    return {key: tags[key] for key in TRACK_TAGS if tags.get(key)}


def promised_end(stream: "av.VideoStream") -> Fraction | None:
    """When the pictures end by the header of their own track, in seconds; None if unknown.

    Matroska writes it as a tag, which some writers count from 0 and some from the first frame: the
    end is not before it.
    """
    if stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    tag = next((v for k, v in stream.metadata.items() if k.upper().startswith("DURATION")), "")
    try:
        hours, minutes, seconds = tag.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    except ValueError:
        return None
