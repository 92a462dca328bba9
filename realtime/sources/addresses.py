"""Addresses of sources and outputs: paths, URLs of streams, "-" for a pipe."""

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes
from urllib.request import url2pathname

from preprocessing.files import media_url

STREAM_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "rtmps://", "http://", "https://", "tcp://",
                  "udp://", "rtp://", "srt://")  # fmt: skip
OUTPUT_SCHEMES = tuple(one for one in STREAM_SCHEMES if not one.startswith("http"))
FAKE_SCHEME = "fake://"
LIVE_SCHEMES = (*STREAM_SCHEMES, FAKE_SCHEME)
FILE_SCHEME = "file://"
STDIN = "-"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def read_address(text: str) -> str:
    """Return an address in the form that the app knows: a path, a URL of small letters, or "-".

    `file://` URLs and `~` become paths. A file that has such a name is that file.
    """
    if os.path.lexists(text):
        return text
    scheme = SCHEME.match(text)
    if not scheme:
        return os.path.expanduser(text)
    small = scheme[0].lower()
    if small == FILE_SCHEME:
        return _path_of_url(text[scheme.end() :])
    return small + text[scheme.end() :] if small in LIVE_SCHEMES else text


def _path_of_url(rest: str) -> str:
    """The path of a `file://` URL, percent signs decoded unless a file has them in its name."""
    rest = rest.removeprefix("localhost") if rest.startswith("localhost/") else rest
    if os.name == "nt":
        decoded = url2pathname(rest)
    else:
        decoded = os.fsdecode(unquote_to_bytes(os.fsencode(rest)))
    return rest if os.path.lexists(rest) and not os.path.lexists(decoded) else decoded


def is_stream(address: str) -> bool:
    """True for the URL of a network stream."""
    return address.startswith(STREAM_SCHEMES)


def is_live(address: str | int) -> bool:
    """True for cameras, simulated ones too, and streams."""
    return isinstance(address, int) or address.startswith(LIVE_SCHEMES)


def has_scheme(address: str) -> bool:
    """True for a URL, also of a kind that is not known, unless a file has this name."""
    return bool(SCHEME.match(address)) and not os.path.lexists(address)


def media_location(address: str) -> str:
    """The name of a file or stream for FFmpeg."""
    return address if is_stream(address) else media_url(Path(address))
