"""Analyses beside the frames: what is asked for, what is found, and how it is carried on."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from realtime.analysis.optical_flow import OpticalFlow, SmallFrame
from realtime.types import Frame, Garment, Region

MOST_FRAMES = 64  # that are kept from the analysed one on; of more, every other one is left out


@dataclass(frozen=True, eq=False)
class Request:
    """A frame to be analysed.

    Attributes:
        scene_cut: it shows another scene than the frame that was analysed before.
        regions: those of the frame where they are known, since nothing moved; None to detect them.
        between: regions of the frames since then, frame by frame, for the tracks.
    """

    frame: Frame
    scene_cut: bool
    regions: list[Region] | None
    between: Sequence[list[Region]]


@dataclass(frozen=True, eq=False)
class Result:
    """The analysis of a frame.

    Attributes:
        regions: all that are tracked, the same in all results of a frame.
        garments: of each region; None for one that is none, or is not labelled yet.
        settled: the labels need no further votes while nothing moves.
    """

    regions: list[Region]
    garments: list[Garment | None]
    settled: bool = False


class Carried:
    """A result, moved along from its own frame to the newest one."""

    def __init__(self, result: Result, start: SmallFrame, *, captured: float):
        self.settled, self.captured = result.settled, captured
        self.regions = result.regions
        self._places = list(range(len(result.regions)))  # of the regions in the result
        self._labels = result.garments
        self._flow = OpticalFlow(start)

    def move(self, frame: SmallFrame) -> None:
        """Move on to the next frame; what leaves it is dropped."""
        pairs = [
            (region, place)
            for region, place in zip(
                self._flow.moved(frame, self.regions), self._places, strict=True
            )
            if region is not None
        ]
        self.regions = [region for region, _ in pairs]
        self._places = [place for _, place in pairs]

    def relabel(self, result: Result) -> None:
        """Take the labels of a later result of the same frame, with the same regions."""
        self.settled, self._labels = result.settled, result.garments

    def garments(self, *, held: bool) -> list[Garment]:
        """Those of the newest frame."""
        pairs = zip(self.regions, self._places, strict=True)
        found = ((region, self._labels[place]) for region, place in pairs)
        return [
            replace(garment, region=region, held=held)
            for region, garment in found
            if garment is not None
        ]


@dataclass(eq=False, kw_only=True)
class Pending:
    """An analysis under way.

    Attributes:
        frames: from its own on.
        still_seconds: for which nothing had moved before, in all.
        early: results that it has passed on and nobody took.
        carried: one of them, once it was taken.
        stale: another scene has come since.
        located: ends with the detection, and gives what ends with the labels.
    """

    request: Request
    frames: list[SmallFrame]
    still_seconds: float
    early: list[Result] = field(default_factory=list)
    carried: Carried | None = None
    stale: bool = False
    located: "Future[Future[tuple[Result, float]]]" = field(default_factory=Future)

    def add(self, frame: SmallFrame) -> None:
        """Keep a frame that came since."""
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            del self.frames[1:-1:2]

    @property
    def done(self) -> bool:
        """True once it has ended.

        Raises:
            Exception: the detection failed.
        """
        return self.located.done() and self.located.result().done()

    def wait(self) -> None:
        """Wait for its end, and raise its error if it has one."""
        self.located.result().result()
