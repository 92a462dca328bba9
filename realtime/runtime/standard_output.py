"""Standard output as the place of one output, which nothing else may print on."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from preprocessing.errors import SinkError
from realtime.runtime.standard_streams import closed

DASH = "-"
STDOUT = Path("/dev/stdout")  # what "-" means as an output; the name holds on every system
_reserved: list[int] = []  # the descriptor of stdout, while it is reserved


@contextmanager
def reserved(*, binary: bool) -> Iterator[None]:
    """Keep stdout for the output that `open_output` opens; everything else goes to stderr.

    Args:
        binary: True for what no terminal can show.

    Raises:
        SinkError: stdout is closed, or a terminal.
    """
    if binary and os.isatty(1):
        raise SinkError(
            "-o - writes a video to stdout, which is a terminal: add `| COMMAND` or `> FILE`"
        )
    if 1 in closed:
        raise SinkError("stdout is closed: redirect it, or name a file")
    own = os.dup(1)
    sys.stdout.flush()
    os.dup2(2, 1)  # also for what libraries print
    _reserved.append(own)
    try:
        yield
    finally:
        _reserved.remove(own)
        os.dup2(own, 1)
        os.close(own)


def open_output(path: Path, mode: str, **options: Any) -> IO[Any]:
    """Open a file to write, or stdout where the path is STDOUT; options as of `open`.

    Raises:
        OSError: it cannot be opened.
        SinkError: nobody reads the named pipe, for whom the run would wait without end.
    """
    if path != STDOUT:
        if path.is_fifo():
            return os.fdopen(_write_end(path), mode, **options)
        return path.open(mode, **options)
    return os.fdopen(os.dup(_reserved[-1] if _reserved else 1), mode, **options)


def _write_end(path: Path) -> int:
    try:
        number = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise SinkError(f"output {path} is no plain file but a pipe that nobody reads: start its "
                        "reader first") from error  # fmt: skip
    os.set_blocking(number, True)
    return number
