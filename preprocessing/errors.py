"""Expected errors, each with the exit status of the command that it ends.

0 is success, 1 a bug, 2 a wrong flag (as in argparse), 128 + N the signal N.
"""

import csv
import io
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class GarmentError(Exception):
    """Base of all expected errors. The message is one line that ends in what to do."""

    status = 1


class UsageError(GarmentError):
    """A flag is out of range, or flags contradict each other."""

    status = 2


class SourceError(GarmentError):
    """The video, image or camera cannot be opened."""

    status = 3


class BrokenSourceError(GarmentError):
    """The source ended in an error; every frame before it was kept."""

    status = 4


class SinkError(GarmentError):
    """An output cannot be written (any more)."""

    status = 5


class ClosedPipeError(SinkError):
    """The reader of a pipe took no more, as `head` does; other outputs are complete so far."""

    status = 141  # as of a process that SIGPIPE ended


class WeightsError(GarmentError):
    """A weight file is missing, damaged or of the wrong type."""

    status = 6


class DeviceError(GarmentError):
    """The requested device or engine is not available."""

    status = 7


class DataError(GarmentError):
    """A data set is missing, damaged or of the wrong form."""

    status = 8


# Messages of C++, the dynamic loader (twice), the creation of threads, ONNX Runtime, torch.
NO_MEMORY = ("bad_alloc", "failed to map segment", "cannot allocate memory",
             "resource temporarily unavailable", "failed to allocate memory",
             "out of memory", "can't start new thread")  # fmt: skip


def is_out_of_memory(error: Exception) -> bool:
    """True if an error of Python or of a native library is a lack of memory."""
    if isinstance(error, BlockingIOError):  # a pipe or socket that is busy, in the same words
        return False
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in NO_MEMORY)


@contextmanager
def text_errors(path: Path) -> Iterator[None]:
    """Turn errors of reading a text file inside the block into DataError.

    Raises:
        DataError: the file is not UTF-8, or no valid CSV.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error})") from error
    except csv.Error as error:
        raise DataError(f"{path} is no valid CSV ({error})") from error


def use_utf8() -> None:
    """Let stdout and stderr take any text, where their encoding could not hold it.

    A console of Windows has a code page of 256 letters, a POSIX locale 128; names of files may also
    hold bytes that are no text at all.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if stream.encoding.lower().replace("-", "") != "utf8" else None
            errors = "backslashreplace" if stream.errors == "strict" else None
            if encoding or errors:
                stream.reconfigure(encoding=encoding, errors=errors or stream.errors)


def printable(text: str) -> str:
    """A text in one line that terminals and files take.

    Control characters, and bytes of file names that are no UTF-8, become escapes.
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def exit_status(command: Callable[[], int]) -> int:
    """Run a command; the status that its process should exit with."""
    use_utf8()
    try:
        status = command()
        sys.stdout.flush()
        return status
    except ClosedPipeError as error:
        return error.status
    except GarmentError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        if not _stdout_is_closed():
            raise
        return ClosedPipeError.status
    except KeyboardInterrupt:  # before a run, which finishes its outputs
        return 128 + signal.SIGINT
    except (MemoryError, ImportError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        print("error: not enough memory: close other programs, or ask for less at once",
              file=sys.stderr)  # fmt: skip
        return DeviceError.status


def _stdout_is_closed() -> bool:
    """True if the reader of stdout is gone; what waits for it is then forgotten."""
    number = sys.stdout.fileno()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        closed = True
    else:  # nothing waits: asked of the pipe, where a system can be
        closed = hasattr(select, "poll") and _has_error(number)
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return closed


def _has_error(number: int) -> bool:
    poll = select.poll()
    poll.register(number, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
