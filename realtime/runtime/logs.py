"""Log handlers of the live app: warnings as plain lines on stderr, all events in a file."""

import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path

from preprocessing.errors import SinkError, printable
from realtime.runtime.masking import masked

PACKAGES = ("realtime", "training", "preprocessing")  # whose events are logged; others' warnings
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TIME = "%Y-%m-%d %H:%M:%S%z"
QUIET_SECONDS = 10.0  # in which a message is not repeated
BURST = 20  # different messages of one kind that pass in that time
MOST_KNOWN = 1000  # messages
logger = logging.getLogger(__name__)


class Formatter(logging.Formatter):
    """Formats a record without the passwords of addresses, its message in one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a record, whatever the names of files in it are."""
        left_out = getattr(record, "left_out", 0)
        more = f" ({left_out} like it were left out)" if left_out else ""
        record.message = printable(record.message) + more
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and its traceback."""
        return masked(super().format(record))


class Repeats:
    """A filter of handlers: lets a message pass once in QUIET_SECONDS, and counts the others.

    Of one kind, which is one place in the code, BURST different messages pass; all errors do.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._passed: OrderedDict[tuple[str, str], list[float]] = OrderedDict()  # time, left out
        self._kinds: dict[tuple[str, str], list[float]] = {}  # time of the first, passed, left out
        self._forgotten = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """True if a record passes; every handler gets the same answer."""
        if not hasattr(record, "left_out"):
            record.__dict__["left_out"] = self._left_out(record)
        return record.__dict__["left_out"] is not None

    @property
    def waiting(self) -> int:
        """Messages that were left out, which no later one has counted."""
        counts = [count for _, count in self._passed.values()]
        return round(sum(counts) + sum(kind[2] for kind in self._kinds.values()) + self._forgotten)

    def _left_out(self, record: logging.LogRecord) -> int | None:
        """The number of those like it that were left out before; None to leave it out too."""
        now, text = self._clock(), (record.name, record.getMessage())
        since, count = self._passed.get(text, (float("-inf"), 0.0))
        if now < since + QUIET_SECONDS:
            self._passed[text][1] += 1
            return None
        kind = self._kinds.setdefault((record.name, str(record.msg)), [now, 0.0, 0.0])
        if now >= kind[0] + QUIET_SECONDS:
            count += kind[2]
            kind[:] = now, 0.0, 0.0
        kind[1] += 1
        if kind[1] > BURST and record.levelno < logging.ERROR:
            kind[2] += 1
            return None
        self._passed[text] = [now, 0.0]
        self._passed.move_to_end(text)
        if len(self._passed) > MOST_KNOWN:
            self._forgotten += self._passed.popitem(last=False)[1][1]
        return round(count)


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
    root, repeats = logging.getLogger(), Repeats()
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)
    for handler in handlers:
        handler.addFilter(repeats)
        root.addHandler(handler)
    try:
        yield
    except Exception as error:
        logger.error("ended by an error: %s", error, exc_info=True)
        raise
    finally:
        if repeats.waiting:
            logger.warning("%d log lines were left out: they were repeated", repeats.waiting)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
