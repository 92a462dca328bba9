"""Recogniser: the networks, and the ways to run them on pictures and on sources."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from preprocessing.labels import general_names
from realtime.analysis.zones.watch import Watch
from realtime.library.assemble import AnalysisFactory
from realtime.library.garments import Garments
from realtime.library.images import Picture, to_bgr
from realtime.library.opening import opened
from realtime.library.options import (
    RecognitionOptions,
    SourceOptions,
    checked,
    recognition,
    source_settings,
)
from realtime.library.pipeline import Analyser, analysing, run
from realtime.runtime.stats import Stats
from realtime.settings import Address, Recognition
from realtime.sinks.annotate import Annotator
from realtime.sinks.sink import Sink
from realtime.types import UNKNOWN, Frame, Garment, LabelledFrame

if TYPE_CHECKING:
    from realtime.sources.source import Source

TIME_BASE = Fraction(1, 1000)  # of single pictures, which have no time


class Recogniser:
    """Finds, names and follows garments; loads the networks once.

    Several threads may use one at the same time: each picture and each source has an analysis of
    its own, and crops of the networks' concurrent calls are batched. A generator of `track` belongs
    to one thread. It holds no more than memory, so there is nothing to close.

    Args:
        settings: all of them at once; None for the defaults of the command line.
        concurrent: False if only one thread will use it.
        options: fields of `Recognition`, by the names of the flags: `model="photo"`,
            `device="cuda"`, `locator="people"` (--locate), `colour=True`, ...

    Attributes:
        factory: makes the analyses; for those who build a pipeline of their own.

    Raises:
        UsageError: the settings do not go together, or a value is none that there is.
        WeightsError: a weight file is missing or damaged.
        DeviceError: the engine or device is not available.

    >>> from realtime import Recogniser
    >>> recognise = Recogniser(model="deep", locator="segment")
    >>> for frame, garments in recognise.track("realtime/sources/demo.mp4", end=0.01):
    ...     print(frame.index, garments.names, garments.boxes.shape)
    0 ('T-shirt/top', 'Trouser', 'Sneaker') (3, 4)
    """

    def __init__(
        self,
        settings: Recognition | None = None,
        *,
        concurrent: bool = True,
        **options: Unpack[RecognitionOptions],
    ):
        if settings is None:
            self.settings = recognition(**options)
        else:
            self.settings = checked(replace(settings, **options))
        self.factory = AnalysisFactory(self.settings, concurrent=concurrent)

    def __call__(self, picture: Picture) -> Garments:
        """Return the garments of one picture.

        Args:
            picture: a file, a PIL image, or an array uint8 (H, W, 3) whose channels are blue,
                green, red, as OpenCV reads them; of an RGB array give `array[..., ::-1]`. EXIF
                orientation of files and PIL images is applied.

        Raises:
            UsageError: it is no picture, or an array of another form.
            DataError: the file is missing, damaged or no picture.
        """
        frame = Frame(to_bgr(picture), 0, 0, TIME_BASE, time.monotonic())
        return self._garments(frame, self.factory.new_analysis()(frame, Stats()))

    def track(
        self, source: Address | Path, **options: Unpack[SourceOptions]
    ) -> Generator[tuple[Frame, Garments], None, None]:
        """Yield each frame of a source with its garments, whose tracks and persons keep numbers.

        The source is opened with the first frame, and closed with the last one, by `close()`, or
        when a loop is left. Files lose no frame; of live sources frames are dropped while the
        caller is busy.

        Args:
            source: a video, a folder of pictures, a URL (`rtsp://`, `https://`, `fake://`, ...), a
                pipe, or the number of a camera.
            options: fields of `SourceSettings`: `start=10, end="1:30"`, `every=1`, `reconnect=60`,
                ...

        Raises:
            SourceError: it cannot be opened.
            BrokenSourceError: it broke off; its frames so far were given.
            UsageError: a value is out of range.
        """
        settings = source_settings(source, **options)
        with (
            opened(settings.addresses[0], settings) as frames,
            analysing(
                frames, self.factory.new_analysis(), stats=Stats(), stopped=lambda: False
            ) as labelled,
        ):
            for one in labelled:
                yield one.frame, self._garments(one.frame, one.garments)

    def annotate(self, picture: Picture, garments: Sequence[Garment]) -> np.ndarray:
        """Return a copy of a picture with garments drawn on it: BGR uint8 (H, W, 3).

        Raises:
            UsageError, DataError: as for a call.
        """
        return self._annotator(to_bgr(picture), garments, "")

    def run(
        self, source: Address | Path, sinks: Sequence[Sink], **options: Unpack[SourceOptions]
    ) -> Stats:
        """Pass every frame of a source into sinks, as the command line does; return its figures.

        Args: `source` and `options` as of `track`.

        Raises:
            SourceError, BrokenSourceError, UsageError: as `track`.
            SinkError: a sink failed.
        """
        settings, stats = source_settings(source, **options), Stats()
        with opened(settings.addresses[0], settings) as frames:
            self.run_opened(frames, sinks, stats=stats)
        return stats

    def run_opened(
        self,
        source: "Source",
        sinks: Sequence[Sink],
        *,
        stats: Stats,
        analysis: Analyser | None = None,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda frames: None,
        show: Callable[[LabelledFrame, Callable[[], bool]], bool] | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Pass every frame of an entered source into sinks and a window; see `pipeline.run`.

        Args:
            analysis: of the source; None for `factory.new_analysis()`.
        """
        run(source, analysis or self.factory.new_analysis(), sinks, stats=stats, stopped=stopped,
            progress=progress, show=show, watch=watch)  # fmt: skip

    @property
    def description(self) -> str:
        """The networks and what runs them, e.g. "photo, people, engine openvino, device cpu"."""
        return self.factory.description

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that a garment can get: classes, more general names, and "unknown"."""
        classes = self.factory.classes
        general = (name for one in classes for name in general_names(one))
        return tuple(dict.fromkeys((*classes, *general, UNKNOWN)))

    @cached_property
    def _annotator(self) -> Annotator:
        return Annotator(self.factory.classes, colour=self.settings.colour)

    def _garments(self, frame: Frame, garments: Sequence[Garment]) -> Garments:
        return Garments(tuple(garments), frame, self.names, self._annotator)
