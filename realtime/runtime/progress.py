"""Progress of a run: a bar on a terminal, a plain line now and then elsewhere, and log lines."""

import logging
import sys
import time

from preprocessing.errors import printable
from realtime.runtime.stats import Stats
from realtime.types import SourceInfo

LINE_SECONDS = 10.0  # between plain lines
LOG_SECONDS = 600.0  # between log lines
logger = logging.getLogger(__name__)


class Progress:
    """Call it with the number of frames done; shows the remaining time if the end is known.

    Args:
        stats: counts of the run, for the log.
        quiet: True to show nothing, as for sources that run at the same time.
    """

    def __init__(self, info: SourceInfo, stats: Stats, *, quiet: bool = False):
        self._info, self._stats, self._quiet = info, stats, quiet
        self._bar = None
        if sys.stderr.isatty() and not quiet:
            from tqdm import tqdm  # its import takes as long as several frames

            self._bar = tqdm(total=info.frames, unit="frame", desc=printable(info.name)[-30:])
        self._started = self._shown = self._logged = time.monotonic()

    def __enter__(self) -> "Progress":
        info = self._info
        rate = f", {float(info.rate):g} fps" if info.rate else ""
        logger.info("source opened: %s, %dx%d%s", info.name, info.width, info.height, rate)
        return self

    def __call__(self, done: int) -> None:
        """Report that `done` frames are analysed."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif not self._quiet and now - self._shown >= LINE_SECONDS:
            self._shown = now
            self._show(done, now)
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            self._log("running")

    def _show(self, done: int, now: float) -> None:
        rate, total = done / (now - self._started), self._info.frames
        left = f" of {total}, {(total - done) / rate:.0f} s left" if total else ""
        print(f"{done} frames{left}, {rate:.0f} fps", file=sys.stderr)

    def _log(self, state: str) -> None:
        stats = self._stats
        logger.info("%s: %s, frames: %d read, %d written, %d dropped, %d failed; %.1f fps",
                    self._info.name, state, stats.read, stats.written, stats.dropped, stats.failed,
                    stats.fps)  # fmt: skip

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.close()
        self._log("ended, outputs closed")
