"""Inputs of a command: what its files, folders and patterns stand for."""

import glob
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from preprocessing.errors import DataError, UsageError
from preprocessing.files import Inputs, natural_key
from preprocessing.images.picture_kinds import is_picture
from realtime.settings import Address, Recognition
from realtime.sources.addresses import STDIN, has_scheme, read_address

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".ts", ".gif")
logger = logging.getLogger(__name__)


def expand(addresses: Sequence[Address]) -> list[Address]:
    """Replace patterns and folders of videos by their files, in natural order.

    Raises:
        UsageError: a pattern matches no file.
    """
    found: list[Address] = []
    for address in addresses:
        found += [address] if isinstance(address, int) else _files(address)
    return found


def _files(address: str) -> Sequence[str]:
    if address == STDIN or has_scheme(address) or os.path.isfile(address):
        return [address]
    if os.path.isdir(address):
        return _videos_in(Path(address)) or [address]
    if not glob.has_magic(address):
        return [address]
    matches = sorted(glob.glob(address, recursive=True), key=natural_key)
    if not matches:
        raise UsageError(f"no file matches {address}")
    return matches


def _videos_in(folder: Path) -> list[str]:
    named = (path for path in _shown(folder) if path.suffix.lower() in VIDEO_SUFFIXES)
    files = [path for path in named if not path.is_dir() and not _is_still(path)]
    return list(map(str, sorted(files, key=natural_key)))


def _shown(folder: Path) -> list[Path]:
    """List a folder without hidden files, which systems put there on their own."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []  # the source itself reports a folder that cannot be read


def _is_still(path: Path) -> bool:
    """True for a picture that is no animation; damaged ones count as pictures."""
    if not is_picture(path):
        return False
    from preprocessing.images.pictures import frame_count

    try:
        return frame_count(path) == 1
    except DataError:
        return True


def still_picture(address: Address) -> bool:
    """True for a picture file that is no animation."""
    return isinstance(address, str) and os.path.isfile(address) and _is_still(Path(address))


def log_left_out(addresses: Sequence[Address]) -> None:
    """Log, for each folder, how many of its files and folders are none of the sources."""
    for address in addresses:
        if isinstance(address, str) and os.path.isdir(address):
            words = left_out(Path(address))
            if words:
                logger.warning("%s: left out: %s", address, words)


def left_out(folder: Path) -> str:
    """Count what a folder holds beside its videos, or else beside its pictures; "" for nothing."""
    names, videos = _shown(folder), set(_videos_in(folder))
    rest = [path for path in names if str(path) not in videos]
    pictures = [path for path in rest if is_picture(path)]
    folders = [path for path in rest if path.is_dir()]
    others = [path for path in rest if path not in {*pictures, *folders}]
    counts = [(pictures if videos else [], "picture"), (others, "other file"), (folders, "folder")]
    return ", ".join(
        f"{len(some)} {noun}{'s' if len(some) > 1 else ''} ({min(some, key=natural_key).name}"
        f"{', ...' if len(some) > 1 else ''})"
        for some, noun in counts
        if some
    )


def inputs_of(addresses: Sequence[Address], recognition: Recognition) -> Inputs:
    """Return the files and folders that a command reads, which its outputs may not replace."""
    files = [path for address in addresses if (path := _local_path(address))]
    given = (recognition.model, recognition.attributes, recognition.wardrobe)
    weights = [Path(name) for name in given if name]
    return Inputs(path for path in (*files, *weights) if os.path.lexists(path))


def _local_path(address: Address) -> Path | None:
    """The file or folder that an address names; None for cameras and streams."""
    if isinstance(address, int):
        return None
    path = read_address(address)
    return None if has_scheme(path) else Path("/dev/stdin" if path == STDIN else path)
