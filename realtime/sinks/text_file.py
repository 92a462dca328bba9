"""A text file that is written line by line, so that one which is cut short lacks only its end."""

from contextlib import suppress
from pathlib import Path
from typing import TextIO

from preprocessing.errors import SinkError


class TextFile:
    """A text file that takes strings once it is open; every line reaches the disk at once."""

    def __init__(self, path: Path):
        self._path = path
        self._file: TextIO | None = None

    def open(self, head: str = "") -> None:
        """Create or empty the file, and write its first lines.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            self._file = self._path.open("w", buffering=1, encoding="utf-8", newline="")
            self._file.write(head)
        except OSError as error:
            with suppress(OSError):
                self.close()
            raise self._failed(error) from error

    def write(self, text: str) -> int:
        """Append text; return its length, as csv writers expect of a file.

        Raises:
            SinkError: the disk is full or the file cannot be written any more.
        """
        assert self._file is not None, "open() comes first"
        try:
            return self._file.write(text)
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the file.

        Raises:
            SinkError: its last lines cannot be written.
        """
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._path}: {error.strerror}")
