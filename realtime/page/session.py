"""The run behind the page: one pipeline whose source, model and pace the page may change."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from preprocessing.errors import GarmentError, printable
from preprocessing.labels import OTHER
from realtime.assemble import AnalysisFactory
from realtime.page.state import Hub, State
from realtime.page.teaching import Picks
from realtime.pipeline import Analyser, Stopped, ended_whole, run
from realtime.runtime.masking import masked
from realtime.runtime.progress import Progress
from realtime.runtime.stats import Stats
from realtime.runtime.worker import Background
from realtime.settings import Address, Settings
from realtime.sinks.annotate import Annotator
from realtime.sinks.replacing import replacing
from realtime.sinks.sink_table import OutputSettings, make_sinks
from realtime.sources.source import Source
from realtime.types import Frame, LabelledFrame
from training.inference.wardrobe import Wardrobe

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
        self, frames: Iterable[Frame], stats: Stats, *, concurrent: bool
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, each as soon as possible, whatever `concurrent`."""
        for frame in frames:
            yield from self.current.analysed((frame,), stats, concurrent=False)


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


class Session:
    """One source at a time through one analysis, for all viewers of `hub`.

    Args:
        settings: of the command line; the page may replace the recognition settings.
        address: the command line's source, which the page offers as well; None for none.
    """

    def __init__(self, settings: Settings, *, address: Address | None):
        self.hub, self.paused = Hub(), False
        self.source = ""
        name = printable(Path(masked(address)).name) if isinstance(address, str) else ""
        self.own = {name: address} if isinstance(address, str) else {}
        self._outputs, self._recognition = settings.outputs, settings.recognition
        self._factory = AnalysisFactory(self._recognition, teachable=True)
        self._analysis = SwappableAnalysis(self._factory.new_analysis())
        self._picks = Picks()
        self._work: Background | None = None
        self._reset()

    def start(self, source: Source, *, own: bool = False) -> None:
        """End the current run and show a source.

        Args:
            own: True for the command line's source, which writes the outputs.
        """
        self.stop()
        self.source, self.paused = printable(Path(source.info.name).name), False
        self._reset()
        work = Background(lambda: self._run(source, work, own=own), name="pipeline")
        self._work = work
        work.start()

    def _reset(self) -> None:
        self._stats = Stats()
        self._state = State(
            self.hub, self._stats, lambda label: self._analysis.annotator.shade(label)
        )

    def stop(self) -> None:
        """End the run; its outputs are complete afterwards."""
        if self._work:
            self._work.stop()

    def change(self, **changes: Any) -> None:
        """Change recognition settings, by field name, while the run continues.

        Raises:
            GarmentError: a value is out of range, or there is no such model.
        """
        recognition = replace(self._recognition, **changes)
        factory = AnalysisFactory(recognition, teachable=True, wardrobe=self._factory.wardrobe)
        self._analysis.current = factory.new_analysis()
        self._factory, self._recognition = factory, recognition

    def pick(self, wanted: dict) -> dict[str, Any]:
        """Keep a garment of the frame in view, which is to be named; ready for JSON.

        Args:
            wanted: see `Picks.add`.

        Raises:
            UsageError: there is no such garment.
        """
        number, garment = self._picks.add(self._state.labelled, wanted)
        names = [name for name in self._factory.classes if name != OTHER]
        return {"pick": number, "label": garment.label.name, "names": names}

    def teach(self, wanted: dict) -> None:
        """Name a garment that was picked: the run knows it from its next frame on.

        The file of --wardrobe is written, if there is one.

        Args:
            wanted: "pick", a number that `pick` gave, and "name".

        Raises:
            UsageError: there is no such garment, the name is none, or nothing can be taught.
            SinkError: the file cannot be written.
        """
        pick = self._picks.take(wanted.get("pick"))
        name = str(wanted.get("name", ""))
        wardrobe = self._factory.teach(name, pick.image, pick.garment.region)
        self._analysis.current = self._factory.new_analysis()
        if self._recognition.wardrobe:
            wardrobe.write(self._recognition.wardrobe)

    @property
    def wardrobe(self) -> Wardrobe | None:
        """The garments taught so far; None where nothing can be taught."""
        return self._factory.wardrobe

    @property
    def error(self) -> str:
        """Reason why the run failed; "" if it did not."""
        error = self._work.error if self._work else None
        return "" if error is None or isinstance(error, Stopped) else str(error) or repr(error)

    @property
    def failure(self) -> BaseException | None:
        """The unexpected exception that ended the run, if any."""
        error = self._work.error if self._work else None
        return error if not isinstance(error, GarmentError | Stopped) else None

    def report(self) -> dict[str, Any]:
        """Return everything that the page shows, ready for JSON."""
        recognition = self._recognition
        return {
            **self._state.report(), "source": self.source, "model": recognition.model,
            "locate": recognition.locator, "threshold": recognition.label_threshold,
            "paused": self.paused, "running": bool(self._work and self._work.running),
            "error": self.error,
        }  # fmt: skip

    def _run(self, source: Source, work: Background, *, own: bool) -> None:
        pausable = PausableSource(source, paused=lambda: self.paused, stopped=work.stopped)
        with pausable, Progress(source.info, self._stats, quiet=True) as progress:
            outputs = self._outputs if own else OutputSettings()
            whole = partial(ended_whole, info=source.info, stats=self._stats)
            with replacing(outputs, whole=whole) as written:
                run(pausable, self._analysis, [*make_sinks(written), self._state],
                    stats=self._stats, stopped=work.stopped, progress=progress)  # fmt: skip
