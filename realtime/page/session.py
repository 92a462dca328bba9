"""The run behind the page: one pipeline, whose source, model and pace the page may change."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import copy
from dataclasses import replace
from pathlib import Path

from preprocessing.errors import GarmentError
from realtime.page.hub import Hub
from realtime.page.state import State
from realtime.pipeline import Analysis, Stopped, run
from realtime.runtime.stats import Stats
from realtime.runtime.worker import Background
from realtime.sources.open_source import Source
from realtime.types import Frame, Garment

WAIT = 0.05  # seconds between looks at the controls while nothing may move


class Exchangeable:
    """An analysis that another one can take the place of, between two frames."""

    ahead = 0  # every frame is shown as soon as it can be

    def __init__(self, analysis: Analysis):
        self.current = analysis

    def __call__(self, frame: Frame, stats: Stats) -> list[Garment]:
        return self.current(frame, stats)

    @property
    def annotate(self):
        """What draws the labels."""
        return self.current.annotate

    @property
    def title(self) -> str:
        """Of the head-up display."""
        return self.current.title


class Steered:
    """A source at its own pace that can be paused: files wait, live sources lose their frames."""

    def __init__(self, source: Source, *, paused: Callable[[], bool], stopped: Callable[[], bool]):
        self.info = source.info
        self._source, self._paused, self._stopped = source, paused, stopped

    @property
    def failed(self) -> int:
        """What the source could not decode."""
        return self._source.failed

    def __iter__(self) -> Iterator[Frame]:
        live, start = self.info.live, None
        for frame in self._source:
            if live and self._paused():
                continue
            while self._paused() and not self._stopped():
                time.sleep(WAIT)
                start = None
            now = time.monotonic()
            start = now - frame.time if start is None else start
            while not live and now < start + frame.time and not self._stopped():
                time.sleep(min(WAIT, start + frame.time - now))
                now = time.monotonic()
            yield frame if live else replace(frame, captured=now)


def _own(args: argparse.Namespace) -> list[tuple[str, str | int]]:
    """The command line's source, with what opens it again; cameras are offered anyway."""
    return [(Path(args.video).name, args.video)] if args.video else []


class Session:
    """One source at a time through one analysis, for all viewers of a hub.

    Args:
        args: flags of the app; the page changes its own copy of them.
        open_sinks: the sinks of the command line's own source.
        make_analysis: from flags to an Analysis.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        *,
        hub: Hub,
        open_sinks: Callable[[Source], list],
        make_analysis: Callable[[argparse.Namespace], Analysis],
    ):
        self.hub, self.paused = hub, False
        self.source = ""
        self.own = _own(args)
        self._args, self._open_sinks, self._make = copy(args), open_sinks, make_analysis
        self._analysis = Exchangeable(make_analysis(copy(args)))
        self._work: Background | None = None
        self._begin()

    def start(self, source: Source, *, own: bool = False) -> None:
        """End the run so far and show a source; `own`: it writes the command line's outputs."""
        self.stop()
        self.source, self.paused = Path(source.info.name).name, False
        self._begin()
        work = Background(lambda: self._run(source, work, own=own), name="pipeline")
        self._work = work
        work.start()

    def _begin(self) -> None:
        self._stats = Stats()
        self._state = State(
            self.hub, self._stats, lambda label: self._analysis.annotate.shade(label)
        )

    def stop(self) -> None:
        """End the run; its outputs are whole afterwards."""
        if self._work:
            self._work.stop()

    def change(self, **flags: object) -> None:
        """Take another model or locator, or another threshold, while the pictures go on.

        Raises:
            GarmentError: there is no such model, or it cannot be had.
        """
        changed = argparse.Namespace(**vars(self._args) | flags)
        made = self._make(copy(changed))
        self._args, self._analysis.current = changed, made

    @property
    def error(self) -> str:
        """Why the run ended; empty while it goes on, or where it ended well."""
        error = self._work.error if self._work else None
        return "" if error is None or isinstance(error, Stopped) else str(error) or repr(error)

    @property
    def failure(self) -> BaseException | None:
        """What a run ended with that nobody expects to happen."""
        error = self._work.error if self._work else None
        return error if not isinstance(error, GarmentError | Stopped) else None

    def report(self) -> dict:
        """What the page shows."""
        return {
            **self._state.report(), "source": self.source, "model": self._args.model,
            "locate": self._args.locate, "threshold": self._args.threshold, "paused": self.paused,
            "running": bool(self._work and self._work.running), "error": self.error,
        }  # fmt: skip

    def _run(self, source: Source, work: Background, *, own: bool) -> None:
        with ExitStack() as stack:
            stack.enter_context(source)
            steered = Steered(source, paused=lambda: self.paused, stopped=work.stopped)
            sinks = self._open_sinks(source) if own else []
            opened = [stack.enter_context(sink) for sink in [*sinks, self._state]]
            self._stats.start()
            run(steered, self._analysis, opened, window=None, stats=self._stats,
                stopped=work.stopped, progress=lambda _: None)  # fmt: skip
