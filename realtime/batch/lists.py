"""The videos that a command names: files, folders, patterns, lists of these, URLs of stores."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from preprocessing.errors import SourceError, UsageError
from realtime.batch.inputs import VIDEO_SUFFIXES, expand
from realtime.batch.stores import file_system, in_store, store_errors
from realtime.runtime.masking import masked
from realtime.sources.addresses import SCHEME, read_address


def listed(names: Sequence[str]) -> list[str]:
    """Return the videos that lists, patterns and folders name.

    Raises:
        UsageError: a list names none, or a pattern matches nothing.
    """
    found: list[str] = []
    for name in names:
        for one in _lines(name) if name.endswith(".txt") else [name]:
            found += expanded(one) if in_store(one) else map(str, expand([read_address(one)]))
    if not found:
        raise UsageError(f"no video in {' '.join(names)}: wanted one a line")
    return found


def _lines(name: str) -> list[str]:
    try:
        lines = os.fsdecode(Path(name).read_bytes()).splitlines()  # names may be no UTF-8
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def expanded(address: str) -> list[str]:
    """Return the videos that a URL of a store names: a file, a folder, or a pattern.

    Raises:
        SourceError: the store cannot be read.
        UsageError: none matches, or a package is missing.
    """
    system, path = file_system(address)
    with store_errors(address, SourceError, "read"):
        if glob.has_magic(path):
            found = system.glob(path)
        elif system.isdir(path):
            found = system.ls(path, detail=False)
        else:
            return [address]
        videos = sorted(one for one in found if one.lower().endswith(VIDEO_SUFFIXES))
    if not videos:
        raise UsageError(f"no video matches {masked(address)}")
    return [system.unstrip_protocol(one) for one in videos]


def local_path(text: str) -> Path:
    """The absolute path that a path or `file://` URL names."""
    return Path(read_address(text)).resolve()


def absolute(video: str) -> str:
    """The absolute path of a file; the URL of one in a store as it is."""
    if in_store(video):
        return video
    return os.path.abspath(str(local_path(video)) if SCHEME.match(video) else video)
