"""The errors a user can meet, each with the exit status its command ends with.

0 is success, 1 a bug, 2 a wrong flag (argparse's own status), 128 + N the signal N.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class GarmentError(Exception):
    """Base of every expected failure: its message is one line that says what to do."""

    status = 1


class UsageError(GarmentError):
    """A flag is out of range, or flags contradict each other."""

    status = 2


class SourceError(GarmentError):
    """The video, image or camera cannot be opened."""

    status = 3


class BrokenSourceError(GarmentError):
    """The source broke off midway; every frame before the break was kept."""

    status = 4


class SinkError(GarmentError):
    """An output cannot be written (any more)."""

    status = 5


class WeightsError(GarmentError):
    """A weight file is missing, damaged or of another kind."""

    status = 6


class DeviceError(GarmentError):
    """The device or engine asked for is not there."""

    status = 7


class DataError(GarmentError):
    """A data set is missing, damaged or of another shape."""

    status = 8


# Of C++, the dynamic loader (twice) and the creation of threads.
NO_MEMORY = ("bad_alloc", "failed to map segment", "cannot allocate memory",
             "resource temporarily unavailable")  # fmt: skip


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error, of Python or of a native library, tells of a lack of memory."""
    if isinstance(error, BlockingIOError):  # a pipe or socket that is busy, in the same words
        return False
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in NO_MEMORY)


@contextmanager
def text_errors(path: Path) -> Iterator[None]:
    """Tell of a file that is read inside, and is no text in UTF-8 or no whole CSV.

    Raises:
        DataError: it is not.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error})") from error
    except csv.Error as error:
        raise DataError(f"{path} is no whole CSV ({error})") from error
