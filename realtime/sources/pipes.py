"""Sources that can be read once, from start to end: stdin, named pipes, process substitution.

Sound and picture come from one reading. What cannot be read in one go is first written to a
temporary file: an mp4 whose index is at its end, and pictures (of JPEG and PNG alone FFmpeg shows
all that follow each other in a pipe).
"""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

from preprocessing.errors import SourceError
from preprocessing.images.picture_kinds import HEAD_BYTES, VIDEO, kind_of_head
from realtime.runtime.hanging import Deadline
from realtime.sources.addresses import STDIN
from realtime.sources.containers import ByteReader
from realtime.sources.files_and_streams import VideoSource
from realtime.sources.pictures import PictureSource
from realtime.sources.source import Source

STDIN_NAME = "stdin"
SERIES = ("jpeg", "png")  # kinds that may follow each other in a pipe
BLOCK = 1 << 20  # bytes that are copied at a time
LONGEST_HEAD = 1 << 24  # bytes in which the index of an mp4 is looked for


def is_pipe(address: str) -> bool:
    """True for "-", a named pipe, and what the shell puts in the place of `<(command)`."""
    if address == STDIN:
        return True
    try:
        mode = os.stat(address).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Pipe:
    """A file that is read from start to end, whose beginning can be read twice.

    Attributes:
        label: its name in messages.
    """

    def __init__(self, file: BinaryIO, *, label: str):
        self.label = label  # a name would tell FFmpeg the kind of file
        self._file, self._head = file, b""

    def head(self, size: int) -> bytes:
        """Return the first bytes, less at the end, which are still to be read."""
        while len(self._head) < size:
            more = self._file.read(BLOCK)
            if not more:
                break
            self._head += more
        return self._head[:size]

    def read(self, size: int) -> bytes:
        """Return what is there, at most `size` bytes; none at the end."""
        if self._head:
            found, self._head = self._head[:size], self._head[size:]
            return found
        return self._file.read(size)

    def close(self) -> None:
        """Close it."""
        self._file.close()


def open_pipe(address: str, *, hwaccel: str, shift: Fraction | None, deadline: Deadline) -> Source:
    """Open what can be read once; the arguments are those of `VideoSource`.

    What has to be stored first may take as long as it comes.

    Raises:
        SourceError: it is empty, a terminal, or no video and no picture.
    """
    name = STDIN_NAME if address == STDIN else address
    raw = _opened(address, name)
    pipe = Pipe(raw, label=name)
    try:
        return _source_of(pipe, raw, hwaccel=hwaccel, shift=shift, deadline=deadline)
    except SourceError:
        raw.close()
        raise


def _source_of(
    pipe: Pipe, raw: BinaryIO, *, hwaccel: str, shift: Fraction | None, deadline: Deadline
) -> Source:
    """The source of a pipe, by its first bytes."""
    whole = raw.seekable() and raw.tell() == 0  # `< FILE`
    head = pipe.head(HEAD_BYTES)
    if not head:
        raise SourceError(f"nothing came from {pipe.label}: the command before it gave no video")
    kind = kind_of_head(head)
    if kind and kind not in (VIDEO, *SERIES):
        return SpooledPicture(pipe, deadline)
    file: ByteReader = pipe
    if whole:
        raw.seek(0)
        file = raw
    elif kind == VIDEO and needs_seeking(pipe):
        file = _spooled(pipe, deadline)
    return VideoSource(
        pipe.label, network=False, shift=shift, hwaccel=hwaccel, file=file, deadline=deadline
    )


def _opened(address: str, name: str) -> BinaryIO:
    """The file, without a buffer: a read gives what is there."""
    try:
        if address != STDIN:
            return open(address, "rb", buffering=0)
        if sys.stdin is not None and sys.stdin.isatty():
            raise SourceError("stdin is a terminal: give the video by `< FILE` or `COMMAND |`")
        return os.fdopen(os.dup(0), "rb", buffering=0)
    except OSError as error:
        raise SourceError(f"cannot open {name}: {error.strerror}") from error


def nameless(path: Path) -> BinaryIO:
    """Open a file that does not tell its name.

    Raises:
        SourceError: it cannot be opened.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise SourceError(f"cannot open {path}: {error.strerror}") from error
    return os.fdopen(number, "rb", buffering=0)


def needs_seeking(pipe: Pipe) -> bool:
    """True for an mp4 or mov whose pictures come before their index."""
    place = 0
    while place < LONGEST_HEAD:
        box = pipe.head(place + 16)[place:]
        length, kind = int.from_bytes(box[:4], "big"), box[4:8]
        if kind in (b"moov", b"moof") or len(box) < 16:
            return False
        if kind == b"mdat":
            return True
        place += max(int.from_bytes(box[8:16], "big") if length == 1 else length, 8)
    return False


class SpooledPicture(PictureSource):
    """A picture or animation from a pipe, in a temporary file."""

    def __init__(self, pipe: Pipe, deadline: Deadline):
        with _stored(pipe):
            self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "picture"
        try:
            with path.open("wb") as file:
                _copy(pipe, file, deadline)
            super().__init__(Path(pipe.label), [path])
        except BaseException:
            self._folder.cleanup()
            raise

    def __exit__(self, *exc_info: object) -> None:
        self._folder.cleanup()


def _spooled(pipe: Pipe, deadline: Deadline) -> BinaryIO:
    """A temporary file with all that a pipe gives; it goes when it is closed."""
    with _stored(pipe):
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115, the source closes it
    try:
        _copy(pipe, file, deadline)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _copy(pipe: Pipe, file: BinaryIO, deadline: Deadline) -> None:
    with _stored(pipe):
        while block := pipe.read(BLOCK):
            file.write(block)
            deadline.renew()


@contextmanager
def _stored(pipe: Pipe) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{pipe.label} has to be stored before it can be read (an mp4 with its index at the "
            f"end, or a picture), and the temporary folder does not take it ({error.strerror}): "
            "set TMPDIR, or write the mp4 with its index first (ffmpeg -movflags +faststart)"
        ) from error
