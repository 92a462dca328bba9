"""Where labelled frames go: video file, picture, snapshots; rows of text are in rows.py.

A sink is a context manager; `write(frame, garments)` takes an annotated frame with its garments.
"""

import os
from pathlib import Path
from typing import Protocol

import numpy as np

from preprocessing.errors import SinkError
from preprocessing.images.pictures import write_image
from realtime.sinks.video import VideoSink
from realtime.types import Frame, Garment, SourceInfo

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


class Sink(Protocol):
    """The contract of every sink."""

    def __enter__(self) -> "Sink": ...
    def __exit__(self, *exc_info: object) -> None: ...
    def write(self, frame: Frame, garments: list[Garment]) -> None: ...


def check_output(path: Path, *, source: str | None, plain: bool = True) -> None:
    """Find out early that an output cannot be written.

    Args:
        plain: whether it must be a plain file, since it is not written from start to end.

    Raises:
        SinkError: its folder is missing or not writable, or it is the input itself.
    """
    if source and path.exists() and Path(source).exists() and path.samefile(source):
        raise SinkError(f"output {path} is the input: give -o another name")
    if path.is_dir():
        raise SinkError(f"output {path} is a folder: name a file in it")
    if plain and path.exists() and not path.is_file():
        raise SinkError(f"output {path} is no plain file: only rows and subtitles can go there")
    if not path.parent.is_dir():
        raise SinkError(f"no folder {path.parent} for {path.name}: `mkdir -p {path.parent}`")
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise SinkError(f"may not write {path}: check its permissions")


def video_or_picture(path: Path, info: SourceInfo, *, audio: bool) -> "Sink":
    """The sink for `-o`, by the name's suffix.

    Raises:
        SinkError: the suffix is neither that of a video nor of a picture.
    """
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return VideoSink(path, info, audio=audio)
    if suffix in PICTURE_SUFFIXES:
        return PictureSink(path)
    raise SinkError(
        f"unknown kind of output {path}: wanted {' '.join(VIDEO_SUFFIXES + PICTURE_SUFFIXES)}"
    )


class PictureSink:
    """The last frame as a picture."""

    def __init__(self, path: Path):
        self._path = path
        self._last: np.ndarray | None = None

    def __enter__(self) -> "PictureSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Keep the frame."""
        self._last = frame.image

    def __exit__(self, *exc_info: object) -> None:
        if self._last is not None:
            write_image(self._path, self._last)


class SnapshotSink:
    """A PNG of the frame in which a garment is first named, one a track."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._seen: set[int] = set()

    def __enter__(self) -> "SnapshotSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Save the frame if it names a new track."""
        named = {garment.track for garment in garments if garment.label.known}
        if named - self._seen:
            self._seen |= named
            save_snapshot(self._folder, frame)

    def __exit__(self, *exc_info: object) -> None:
        pass


def save_snapshot(folder: Path, frame: Frame) -> Path:
    """Write a frame as frame-000123.png into the folder; its path."""
    path = folder / f"frame-{frame.index:06d}.png"
    write_image(path, frame.image)
    return path
