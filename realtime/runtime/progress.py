"""Tells how far a run is: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time

from realtime.types import SourceInfo

LINE_SECONDS = 10.0  # between plain lines


class Progress:
    """Call it with the number of frames done; shows the time left where the end is known.

    Args:
        quiet: show nothing, as where several sources run side by side.
    """

    def __init__(self, info: SourceInfo, *, quiet: bool = False):
        self._total, self._quiet = info.frames, quiet
        self._bar = None
        if sys.stderr.isatty() and not quiet:
            from tqdm import tqdm  # loads for as long as it takes to label several frames

            self._bar = tqdm(total=info.frames, unit="frame", desc=info.name[-30:])
        self._started = self._told = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, done: int) -> None:
        """Note that `done` frames are through."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif not self._quiet and time.monotonic() - self._told >= LINE_SECONDS:
            self._tell(done)

    def _tell(self, done: int) -> None:
        self._told = time.monotonic()
        rate = done / (self._told - self._started)
        left = f" of {self._total}, {(self._total - done) / rate:.0f} s left" if self._total else ""
        print(f"{done} frames{left}, {rate:.0f} fps", file=sys.stderr)

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.close()
