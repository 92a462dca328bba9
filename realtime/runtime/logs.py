"""Log handlers of the live app: warnings as plain lines on stderr, all events in a file."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path

from preprocessing.errors import SinkError, printable
from realtime.runtime.masking import masked

PACKAGES = ("realtime", "training", "preprocessing")  # whose events are logged; others' warnings
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TIME = "%Y-%m-%d %H:%M:%S%z"
logger = logging.getLogger(__name__)


class Formatter(logging.Formatter):
    """Formats a record without the passwords of addresses, its message in one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a record, whatever the names of files in it are."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and its traceback."""
        return masked(super().format(record))


class LogFile(WatchedFileHandler):
    """Appends lines to a file, which other programs may rotate.

    A file that cannot be written any more is reported once and never stops the run.
    """

    def __init__(self, path: Path):
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(Formatter(LINE, datefmt=TIME))
        self._failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Report the first line that is lost."""
        if not self._failed:
            self._failed = True
            logger.warning("cannot write the log %s: %s", self.baseFilename, sys.exc_info()[1])

    def close(self) -> None:
        """Close the file; lines that are lost were reported before."""
        with suppress(OSError):
            super().close()


def _stderr() -> logging.Handler:
    """One plain line a warning; of errors with a traceback the command itself reports the line."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(Formatter())
    handler.addFilter(lambda record: not record.exc_info)
    return handler


@contextmanager
def logging_to(path: Path | None) -> Iterator[None]:
    """Install the handlers while inside; an exception that leaves is logged with its traceback.

    Args:
        path: file to append timestamped lines to; None for stderr alone.

    Raises:
        SinkError: the file cannot be opened.
    """
    try:
        handlers = [_stderr(), *([LogFile(path)] if path else ())]
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
    root = logging.getLogger()
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    except Exception as error:
        logger.error("ended by an error: %s", error, exc_info=True)
        raise
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
