"""Files of users: their natural order, and how none of them is lost to an output."""

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from preprocessing.errors import SinkError

NUMBER = re.compile(r"([0-9]+)")


def natural_key(path: str | os.PathLike[str]) -> tuple[object, ...]:
    """A key that sorts paths as people count: frame2 before frame10."""
    parts = tuple((_words(Path(part).stem), Path(part).suffix) for part in Path(path).parts)
    return parts, os.fspath(path)  # "01" and "1" are the same number, but not the same file


def _words(text: str) -> tuple[str | int, ...]:
    """Text and numbers by turns, so that keys compare like with like."""
    return tuple(int(word) if n % 2 else word for n, word in enumerate(NUMBER.split(text)))


def letters(name: str) -> str:
    """A name as file systems compare it that ignore letter case and kinds of accents."""
    return unicodedata.normalize("NFC", name).casefold()


def place(path: str | os.PathLike[str]) -> str:
    """A text that two paths share if links or letter case are all that keeps them apart."""
    return letters(os.path.realpath(path))


def media_url(path: str | os.PathLike[str]) -> str:
    """A file's name for FFmpeg, which would take `a:b.mp4` for a protocol."""
    return f"file:{os.fspath(path)}"


def free_path(path: Path, *, taken: Callable[[Path], bool] = os.path.lexists) -> Path:
    """The path itself, or one with "-2", "-3", ... before its suffix: the first not taken."""
    more = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return path if not taken(path) else next(other for other in more if not taken(other))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is never seen half-written: beside its place, then renamed.

    A link stays a link, to the new file; devices and pipes are written to.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    unfinished = free_path(target.with_name(f".{target.name}.new"))
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, target)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


class Inputs:
    """Files and folders that a command reads, none of which its outputs may replace.

    The files of a folder count, those of its subfolders do not. A file is known by its path, by
    symbolic and hard links, and in any letter case, since file systems may ignore the case.

    Args:
        paths: those that do not exist are left out.
    """

    def __init__(self, paths: Iterable[Path]):
        self._by_place: dict[str, str] = {}  # the words for it in a message
        self._by_number: dict[tuple[int, int], str] = {}
        for path in paths:
            self._add(path, place(path), f"the input {path}")
            if path.is_dir():
                self._add_files(path)

    def _add_files(self, folder: Path) -> None:
        inside = place(folder)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    words = f"a file of the input folder {folder}"
                    self._add(Path(entry.path), os.path.join(inside, letters(entry.name)), words)
        except OSError:
            pass  # the source itself reports a folder that cannot be read

    def _add(self, path: Path, where: str, words: str) -> None:
        try:
            found = path.stat()
        except (OSError, ValueError):
            return
        self._by_place.setdefault(where, words)
        if stat.S_ISREG(found.st_mode) and found.st_ino:
            self._by_number.setdefault((found.st_dev, found.st_ino), words)

    def at(self, path: Path) -> str:
        """The words for the input that a path leads to; "" for none."""
        if words := self._by_place.get(place(path)):
            return words
        try:
            found = path.stat()
        except (OSError, ValueError):
            return ""
        return self._by_number.get((found.st_dev, found.st_ino), "")

    def keep_from(self, flag: str, path: Path) -> None:
        """Refuse an output that would replace an input.

        Args:
            flag: of the output.

        Raises:
            SinkError: it is one of the inputs.
        """
        if words := self.at(path):
            raise SinkError(f"output {path} is {words}: give {flag} another name")
