"""The recording of a command line, which viewers cannot change, and the run that they choose."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from preprocessing.errors import UsageError, printable
from preprocessing.labels import OTHER
from realtime.library.assemble import AnalysisFactory
from realtime.page.commands import BusyError, Commands
from realtime.page.runs import PageRun
from realtime.page.state import Hub, State
from realtime.page.teaching import Picks
from realtime.runtime.masking import masked
from realtime.runtime.stats import Stats
from realtime.settings import Address, Settings
from realtime.sinks.sink_table import OutputSettings
from realtime.sources.source import Source
from training.inference.wardrobe import Wardrobe

CLOSING_SECONDS = 5  # for a command that is under way
RECORDING = "recording"  # as the page names it among the sources
logger = logging.getLogger(__name__)


class Session:
    """The recording of a command line, and beside it one run at a time that viewers choose.

    Everything that changes it runs as one of its `commands`, one after the other: sources are
    opened, started and ended by a single thread.

    Args:
        settings: of the command line; the page may replace the recognition settings of its runs.
        address: the command line's source, which the page offers as well; None for none.

    Attributes:
        own: the command line's source by its name.
        insecure: True if streams may come from servers whose certificates are not trusted.
        timeout: seconds that a source may take until its first picture.
        recording: the run that writes files, if there is one.
    """

    def __init__(self, settings: Settings, *, address: Address | None):
        self.hub, self.commands = Hub(), Commands()
        name = printable(Path(masked(address)).name) if isinstance(address, str) else ""
        self.own = {name: address} if isinstance(address, str) else {}
        self.timeout = settings.source.timeout
        self.recording: PageRun | None = None
        self.insecure = settings.source.insecure
        self._outputs, self._recognition = settings.outputs, settings.recognition
        self._zones = settings.zones
        self._wardrobe: Wardrobe | None = None  # taught on the page
        self._factory: AnalysisFactory | None = None  # of the page's runs; None for not loaded
        self._loaded = AnalysisFactory(self._recognition, teachable=True)
        self._shown: PageRun | None = None
        self._nothing = State(self.hub, Stats(), lambda label: (0, 0, 0))
        self._picks = Picks()
        self._closed = False

    def start(self, source: Source) -> None:
        """Show the command line's source, and write its outputs.

        Args:
            source: not yet entered.
        """
        run = self._new_run(source, self._outputs)
        if run.records:
            self.recording = run
        self._begin(run)

    def show(self, open_source: Callable[[], Source], *, first_release: bool = False) -> None:
        """Show another source in place of the one in view; a recording goes on.

        Args:
            open_source: opens it, not yet entered.
            first_release: True if it may be the device that is in view, which then ends first.

        Raises:
            SourceError: it cannot be opened; what is in view stays.
        """
        if first_release:
            self._end_shown()
        source = open_source()
        self._end_shown()
        self._begin(self._new_run(source, OutputSettings()))

    def show_recording(self) -> None:
        """Show the recording in place of the source in view.

        Raises:
            UsageError: there is none.
        """
        if self.recording is None:
            raise UsageError("nothing is recorded: start the app with -o FILE")
        self._end_shown()
        self._shown, self._factory = self.recording, None  # its networks take memory and threads
        self.recording.state.show()

    def stop(self) -> None:
        """End the source in view; the recording, if there is one, is in view again.

        Raises:
            UsageError: the recording is in view.
        """
        if self._shown and self._shown.records and self._shown.running:
            raise UsageError("this source is recorded: it ends where the app was started, with "
                             "Ctrl-C")  # fmt: skip
        self._end_shown()
        self._fall_back()

    def close(self) -> None:
        """End everything: sources are released, and outputs complete."""
        self.commands.close(seconds=CLOSING_SECONDS)
        self._closed = True
        for run in (self._shown, self.recording):
            if run:
                run.stop()

    def pause(self, paused: bool) -> None:
        """Let the picture stand still, and with it the source unless it is recorded."""
        if self._shown:
            self._shown.paused = paused

    def change(self, **changes: Any) -> None:
        """Change recognition settings, by field name, while the run in view continues.

        Raises:
            UsageError: the recording is in view, whose settings stay.
            GarmentError: a value is out of range, or there is no such model.
        """
        if self._shown and self._shown.records:
            raise UsageError("this source is recorded, with the settings of its command line: show "
                             "another one to change them")  # fmt: skip
        recognition = replace(self._recognition, **changes)
        self._use(AnalysisFactory(recognition, teachable=True, wardrobe=self.wardrobe))
        self._recognition = recognition

    def pick(self, wanted: dict) -> dict[str, Any]:
        """Keep a garment of the frame in view, which is to be named; ready for JSON.

        Args:
            wanted: see `Picks.add`.

        Raises:
            UsageError: there is no such garment.
        """
        number, garment = self._picks.add(self._state.labelled, wanted)
        names = [name for name in (self._factory or self._loaded).classes if name != OTHER]
        return {"pick": number, "label": garment.label.name, "names": names}

    def teach(self, wanted: dict) -> None:
        """Name a garment that was picked: runs of the page know it from their next frame on.

        The file of --wardrobe is written, if there is one; a recording knows it when it is started
        again.

        Args:
            wanted: "pick", a number that `pick` gave, and "name".

        Raises:
            UsageError: there is no such garment, the name is none, or nothing can be taught.
            SinkError: the file cannot be written.
        """
        pick = self._picks.take(wanted.get("pick"))
        factory = self._own_factory()
        name = str(wanted.get("name", ""))
        self._wardrobe = factory.teach(name, pick.image, pick.garment.region)
        self._use(factory)
        if self._recognition.wardrobe:
            self._wardrobe.write(self._recognition.wardrobe)

    @property
    def wardrobe(self) -> Wardrobe | None:
        """The garments taught so far; None where nothing can be taught."""
        return self._wardrobe or self._loaded.wardrobe

    @property
    def failure(self) -> BaseException | None:
        """The unexpected exception that ended the recording, or else the run in view, if any."""
        run = self.recording or self._shown
        return run.failure if run else None

    @property
    def problem(self) -> str:
        """Reason why the recording does not go on; "" if it does, or has come to its end."""
        return self.recording.error if self.recording else ""

    @property
    def runs(self) -> dict[str, PageRun]:
        """The recording and the run in view, by what they are."""
        shown = None if self._shown is self.recording else self._shown
        return {name: run for name, run in (("page", shown), (RECORDING, self.recording)) if run}

    def report(self) -> dict[str, Any]:
        """Return everything that the page shows, ready for JSON."""
        shown, recording, recognition = self._shown, self.recording, self._recognition
        return {
            **self._state.report(), "source": shown.name if shown else "",
            "model": recognition.model, "locate": recognition.locator,
            "threshold": recognition.label_threshold, "paused": bool(shown and shown.paused),
            "running": bool(shown and shown.running), "error": shown.error if shown else "",
            "records": bool(shown and shown.records),
            "recording": {"source": recording.name, "running": recording.running,
                          "error": recording.error, "written": recording.stats.written}
            if recording else None,
        }  # fmt: skip

    @property
    def _state(self) -> State:
        return self._shown.state if self._shown else self._nothing

    def _new_run(self, source: Source, outputs: OutputSettings) -> PageRun:
        factory = self._loaded if outputs else self._own_factory()
        return PageRun(source, factory.new_analysis(), self.hub, outputs=outputs,
                       zones=self._zones, ended=self._ended)  # fmt: skip

    def _own_factory(self) -> AnalysisFactory:
        """The networks of the page's runs: other ones than those of a recording."""
        if self._factory is None:
            self._factory = self._loaded
            if self._outputs:
                self._factory = AnalysisFactory(
                    self._recognition, teachable=True, wardrobe=self.wardrobe
                )
        return self._factory

    def _use(self, factory: AnalysisFactory) -> None:
        """Take other networks, also for the run in view."""
        analysis = factory.new_analysis()
        if self._shown and not self._shown.records:
            self._shown.analysis.current = analysis
        self._factory = factory

    def _begin(self, run: PageRun) -> None:
        self._shown = run
        run.start()
        if self._closed:
            run.stop()

    def _end_shown(self) -> None:
        """Take the run in view out of it, and end it unless it is the recording."""
        shown = self._shown
        if shown is None:
            return
        shown.state.frozen = True
        if not shown.records:
            shown.stop()

    def _ended(self, run: PageRun) -> None:
        """Show the recording where another source has come to its end; on the run's thread."""
        if run.error:
            logger.error("%s: %s", run.name, run.error)
        if not run.records and self.recording:
            with suppress(BusyError):
                self.commands.submit(lambda: self._after(run))

    def _after(self, run: PageRun) -> None:
        if self._shown is run:
            self._fall_back()

    def _fall_back(self) -> None:
        if self.recording and self.recording.running:
            self.show_recording()
