"""A run behind the page: one source through one analysis, on a thread of its own."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from preprocessing.errors import GarmentError, printable
from realtime.analysis.zones.settings import ZoneSettings
from realtime.library.pipeline import Analyser, Stopped, ended_whole, run
from realtime.library.watching import new_watch
from realtime.page.state import Hub, State
from realtime.runtime.progress import Progress
from realtime.runtime.stats import Stats
from realtime.runtime.worker import HANG_SECONDS, Background
from realtime.sinks.annotate import Annotator
from realtime.sinks.replacing import replacing
from realtime.sinks.sink_table import OutputSettings, make_sinks
from realtime.sources.source import Source
from realtime.types import Beside, Frame, LabelledFrame

NO_ZONES = ZoneSettings()
POLL_SECONDS = 0.05  # between checks of the controls during a pause


class SwappableAnalysis:
    """An analysis that can be replaced by another one between two frames."""

    def __init__(self, analysis: Analyser):
        self.current = analysis

    @property
    def annotator(self) -> Annotator:
        """Draws the labels."""
        return self.current.annotator

    @property
    def title(self) -> str:
        """Title of the head-up display."""
        return self.current.title

    def analysed(
        self, frames: Iterable[Frame], stats: Stats, *, concurrent: bool, beside: Beside
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, each as soon as possible, whatever `concurrent`."""
        remaining = iter(frames)
        while waiting := list(islice(remaining, 1)):
            while waiting:
                current = self.current
                own = self._frames_for(current, waiting, remaining)
                yield from current.analysed(own, stats, concurrent=False, beside=beside)

    def _frames_for(
        self, analysis: Analyser, waiting: list[Frame], remaining: Iterator[Frame]
    ) -> Iterator[Frame]:
        """The one that waits and those behind it, until one waits for another analysis."""
        yield waiting.pop()
        for frame in remaining:
            if self.current is not analysis:
                waiting.append(frame)
                return
            yield frame


class PausableSource:
    """A source in real time that can be paused: files wait, live sources drop their frames.

    Args:
        source: not yet entered.
    """

    def __init__(self, source: Source, *, paused: Callable[[], bool], stopped: Callable[[], bool]):
        self.info = source.info
        self._source, self._paused, self._stopped = source, paused, stopped

    def __enter__(self) -> "PausableSource":
        self._source.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._source.__exit__(*exc_info)

    @property
    def failed(self) -> int:
        """Packets or pictures that could not be decoded."""
        return self._source.failed

    def __iter__(self) -> Iterator[Frame]:
        live, start = self.info.live, None
        for frame in self._source:
            if live and self._paused():
                continue
            while self._paused() and not self._stopped():
                time.sleep(POLL_SECONDS)
                start = None
            now = time.monotonic()
            start = now - frame.time if start is None else start
            while not live and now < start + frame.time and not self._stopped():
                time.sleep(min(POLL_SECONDS, start + frame.time - now))
                now = time.monotonic()
            yield frame if live else replace(frame, captured=now)


class PageRun:
    """A run that a page shows. One that writes files is a recording, which no viewer can change.

    Args:
        source: not yet entered.
        zones: areas that are watched.
        ended: called on the run's thread once it has ended.

    Attributes:
        name: of the source.
        records: True for a recording: only its picture on the page can be paused.
    """

    def __init__(
        self,
        source: Source,
        analysis: Analyser,
        hub: Hub,
        *,
        outputs: OutputSettings,
        zones: ZoneSettings = NO_ZONES,
        ended: Callable[["PageRun"], None] = lambda run: None,
    ):
        self.name, self.records = printable(Path(source.info.name).name), bool(outputs)
        self.analysis, self.stats = SwappableAnalysis(analysis), Stats()
        self.state = State(hub, self.stats, lambda label: self.analysis.annotator.shade(label))
        self._source, self._outputs, self._ended = source, outputs, ended
        self._watch = new_watch(zones, outputs)
        self._paused = False
        self._work = Background(self._run, name="pipeline")

    def start(self) -> None:
        """Start the thread."""
        self._work.start()

    def stop(self) -> None:
        """End the run: its outputs are complete, and its source is released.

        One that hangs is left behind, a recording only if really nothing happens any more.
        """
        self._work.stop(longest=float("inf") if self.records else HANG_SECONDS)

    @property
    def paused(self) -> bool:
        """True while its picture on the page stands still."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._paused = paused
        if self.records:
            self.state.frozen = paused

    @property
    def running(self) -> bool:
        """True until the run has ended."""
        return self._work.running

    @property
    def error(self) -> str:
        """Reason why the run failed; "" if it did not."""
        error = self._work.error
        ended = error is None or isinstance(error, Stopped)
        return "" if ended else printable(str(error) or repr(error))

    @property
    def failure(self) -> BaseException | None:
        """The unexpected exception that ended the run, if any."""
        error = self._work.error
        return error if not isinstance(error, GarmentError | Stopped) else None

    def _run(self) -> None:
        stopped, info = self._work.stopped, self._source.info
        pausable = PausableSource(
            self._source, paused=lambda: self._paused and not self.records, stopped=stopped
        )
        try:
            with pausable, Progress(info, self.stats, quiet=True) as progress:
                whole = partial(ended_whole, info=info, stats=self.stats)
                with replacing(self._outputs, whole=whole) as written:
                    run(pausable, self.analysis, [*make_sinks(written), self.state],
                        stats=self.stats, stopped=stopped, progress=progress,
                        watch=self._watch)  # fmt: skip
        finally:
            self._ended(self)
