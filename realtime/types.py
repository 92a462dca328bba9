"""The values that cross the stages of the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from preprocessing.images.regions import Region as Region

UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: BGR uint8 (H, W, 3), upright.
        index: 0 for the source's first frame; counts dropped frames too.
        pts: presentation time in ticks of `time_base` seconds, rising from frame to frame.
        captured: time.monotonic() at which the frame was decoded or taken.
    """

    image: np.ndarray
    index: int
    pts: int
    time_base: Fraction
    captured: float

    @property
    def time(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Label:
    """What a garment is called: a class name, or UNKNOWN where none is sure enough.

    Attributes:
        probability: of the likeliest class, calibrated, 0 to 1.
    """

    name: str
    probability: float

    @property
    def known(self) -> bool:
        """Whether it names a class."""
        return self.name != UNKNOWN


@dataclass(frozen=True, eq=False)
class Garment:
    """One named garment in one frame.

    Attributes:
        track: stays the same while the garment is followed.
        held: taken over from the frame before, since nothing moved.
        colour: name of most of its cloth, or empty.
        attributes: what a model of attributes is sure of, by name.
    """

    region: Region
    track: int
    label: Label
    held: bool = False
    colour: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Colours:
    """How a video's numbers mean colours: codes of ISO/IEC 23091-2, 2 where unspecified."""

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True)
class SourceInfo:
    """What a source says before its first frame.

    Attributes:
        width, height: of the upright picture, in pixels.
        rate: mean frames a second; None where unknown.
        frames: expected number of frames; None where unknown. Never trusted as an end.
        live: True if frames come at their own pace and the oldest may be dropped.
        path: the file, for its audio; None for cameras, streams and pictures.
        shift: seconds added to the file's own times, so that none is before 0.
    """

    name: str
    width: int
    height: int
    rate: Fraction | None
    time_base: Fraction
    frames: int | None
    live: bool
    path: str | None = None
    colours: Colours = Colours()
    shift: Fraction = Fraction(0)
