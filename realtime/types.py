"""The values that pass from one stage of the pipeline to the next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from preprocessing.images.regions import Person as Person
from preprocessing.images.regions import Region as Region

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream

UNKNOWN = "unknown"
FOUND = "find"  # attribute of garments that fit --find


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: BGR uint8 (H, W, 3), upright; read-only from here on, also for its creator.
        index: 0 for the source's first frame; counts dropped frames too.
        pts: presentation time in ticks of `time_base` seconds, rising from frame to frame.
        captured: time.monotonic() at which it was taken by a camera, arrived by a stream, or was
            decoded from a file.
    """

    image: np.ndarray
    index: int
    pts: int
    time_base: Fraction
    captured: float

    def __post_init__(self) -> None:
        self.image.setflags(write=False)

    @property
    def time(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Label:
    """The most precise name that is probable enough, or UNKNOWN if none is.

    Attributes:
        probability: of the name, calibrated, 0 to 1; of the most probable class for UNKNOWN.
        path: the names from the most general one to the most probable class, each with its
            probability; empty if the names form no tree.
    """

    name: str
    probability: float
    path: tuple[tuple[str, float], ...] = ()

    @property
    def known(self) -> bool:
        """True if it names a class."""
        return self.name != UNKNOWN


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment in one frame.

    Attributes:
        track: number that stays the same while the garment is tracked.
        held: repeated from the frame before, since nothing moved.
        colour: name of its most frequent colour; "" if there is none yet.
        attributes: values by attribute name, of an attribute model.
        zones: names of those that its wearer is in, or it itself if nobody wears it.
    """

    region: Region
    track: int
    label: Label
    held: bool = False
    colour: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    zones: tuple[str, ...] = ()

    @property
    def person(self) -> int | None:
        """Number of the person who wears it; None if nobody does."""
        wearer = self.region.wearer
        return wearer.number if wearer else None


@dataclass(frozen=True)
class Worn:
    """A garment in an event: its label, colour ("" if not known), and track."""

    label: str
    colour: str
    track: int


FIRST_SEEN, MATCH, ENTERED, LEFT, CROSSED, RULE_BROKEN, SOURCE_LOST, SOURCE_BACK = EVENT_KINDS = (
    "first seen", "match", "entered", "left", "crossed", "rule broken", "source lost",
    "source back",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened, at most once in all outputs by its id.

    Attributes:
        id: of the run, and a number that rises from event to event.
        kind: one of EVENT_KINDS.
        frame, time: index of the frame, and its presentation time in seconds.
        at: seconds since 1970 at which the frame was taken.
        source: name of the source.
        place: name of the zone or line; "" for none.
        direction: "in" or "out" of what crossed a line, else "".
        person: number of who did it; None for a garment that nobody wears, or a source.
        garments: what the person wears, or the garment itself.
        box: x1 y1 x2 y2 in pixels; None for a source.
        seconds: of a stay that ended, or for which a source was lost; None for others.
        detail: text of the rule, of what was matched, or of why a source was lost.
    """

    id: str
    kind: str
    frame: int
    time: float
    at: float
    source: str
    place: str = ""
    direction: str = ""
    person: int | None = None
    garments: tuple[Worn, ...] = ()
    box: tuple[float, float, float, float] | None = None
    seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class AreaCount:
    """Counts of a zone or line so far.

    Attributes:
        kind: "zone", "line" or "ignored".
        points: x, y in pixels of the frame.
        entered, left: people who entered and left a zone, or crossed a line in and out.
        inside: people who are in a zone.
        stays, stayed: stays that ended, and their seconds in all.
        longest: seconds of the longest stay, one that goes on included.
        garments: by direction ("in" or "out"), label and colour, how many went with the people, or
            by themselves.
        broken: rules broken there.
    """

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]
    entered: int = 0
    left: int = 0
    inside: int = 0
    stays: int = 0
    stayed: float = 0.0
    longest: float = 0.0
    garments: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    broken: int = 0


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """A frame with its garments, as sinks and the window get it.

    Attributes:
        picture: BGR uint8 (H, W, 3), read-only: a copy of the frame's image with the labels drawn
            on it; the image itself if no sink or window needs a picture.
        detected: time.monotonic() at which the frame was captured whose detections are drawn, later
            by as long as nothing has moved since; None before the first detection.
        events: what happened in it.
        areas: zones, lines and ignored areas with their counts.
    """

    frame: Frame
    garments: Sequence[Garment]
    picture: np.ndarray
    detected: float | None = None
    events: Sequence[Event] = ()
    areas: Sequence[AreaCount] = ()

    def __post_init__(self) -> None:
        self.picture.setflags(write=False)


@dataclass(frozen=True)
class Colours:
    """Colour space of a video: codes of ISO/IEC 23091-2, 2 for unspecified.

    The defaults are those of pictures and cameras: sRGB, encoded by the matrix of BT.601.
    """

    matrix: int = 6
    primaries: int = 1
    transfer: int = 13


class Sound(Protocol):
    """The sound of a source, see sources/sound.py.

    Attributes:
        name: of the source, in messages.
        picture: the stream whose times decide where the sound belongs.
    """

    name: str
    picture: "av.VideoStream | None"
    tracks: "Sequence[AudioStream]"

    def samples(self) -> dict[int, bytes]:
        """Return the content of each track's first packet, by the index of its stream."""
        ...

    def packets(self, tracks: "Sequence[AudioStream]") -> Iterator[Any]:
        """Yield the packets of the picture and of these tracks; None where none is there yet."""
        ...

    def seek(self, seconds: Fraction) -> None:
        """Begin at the last key frame before a time, where that can be found."""
        ...

    def close(self) -> None:
        """Give no more packets."""
        ...


@dataclass(frozen=True)
class Part:
    """A part of a file, in seconds of its frames' times.

    Attributes:
        since: time of its first frame; None for the file's beginning.
        until: None for the file's end.
        sought: True if what lies before is not read.
    """

    since: Fraction | None = None
    until: Fraction | None = None
    sought: bool = False


WHOLE = Part()


class Connection:
    """A source's connection, which may be lost and come back; whoever listens is called then.

    Attributes:
        listener: called on the source's thread with True for lost, the seconds for which it was
            lost or None, and the reason; None for nobody.
    """

    listener: Callable[[bool, float | None, str], None] | None = None

    def changed(self, *, lost: bool, seconds: float | None = None, reason: str = "") -> None:
        """Call the listener."""
        if self.listener:
            self.listener(lost, seconds, reason)


@dataclass(frozen=True)
class SourceInfo:
    """Metadata of a source, known before its first frame.

    Attributes:
        width, height: of the upright picture, in pixels.
        rate: mean frames a second; None if unknown.
        time_base: seconds a tick of the frames' pts.
        frames: expected number of frames, an estimate; None if unknown.
        live: True if frames come at their own pace and the oldest may be dropped.
        buffered: True if they wait in the source, in order, until they are taken, as of streams.
        silence: seconds without a frame that are usual for it.
        path: the file, for its audio; None for cameras, streams, pipes and pictures.
        sound: the audio of a pipe, which is read once; None for all others.
        shift: seconds added to the file's own times.
        part: of the file, to which its frames and its sound are limited.
        aspect: width of a stored pixel on the screen, its height being 1.
        connection: of a live source that is opened again when it is lost; None for others.
        tags, track_tags: of the file and of its video: title, language, creation time.
    """

    name: str
    width: int
    height: int
    rate: Fraction | None
    time_base: Fraction
    frames: int | None
    live: bool
    buffered: bool = False
    silence: float = 0.0
    path: str | None = None
    sound: Sound | None = None
    colours: Colours = Colours()
    shift: Fraction = Fraction(0)
    part: Part = WHOLE
    aspect: Fraction = Fraction(1)
    connection: Connection | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    track_tags: Mapping[str, str] = field(default_factory=dict)


class Beside(Enum):
    """Frames that may be drawn before their own analysis has ended."""

    NEVER = "none"
    WITHIN_A_SCENE = "all but the first of a scene"  # of a file that is shown
    ALWAYS = "all"
