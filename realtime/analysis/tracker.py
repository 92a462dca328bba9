"""Follows garments from frame to frame and lets each track's frames agree on one label."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from preprocessing.labels import OTHER
from realtime.analysis.association import PATIENCE, Associate, Overlap
from realtime.analysis.colour_and_attributes import Description
from realtime.types import UNKNOWN, Garment, Label, Region

FORGOTTEN = 2 * PATIENCE  # frames out of sight after which no associator gives a number again
MEMORY = 0.85  # share of a track's evidence that the next vote keeps
FLOOR = 1e-4  # least probability a single vote may claim for a class
EAGER_VOTES = 5  # votes a new track takes in a row
DOUBTED = 2  # frames after which one whose last vote was another name votes again
RENEWAL = 10  # frames after which an unchanged garment votes again
CONVINCING = 1.5  # times the shown class's probability from which another class is shown instead
SLACK = 0.1  # of probability by which a known garment may fall under the threshold and stay known
CHANGED = 0.8  # likeness to the box at the last vote under which a garment votes at once


class Track:
    """One garment over time; `region` is its place in the current frame.

    The label shown is that of the geometric mean of the votes' probabilities, recent votes counting
    more; its probability is that mean, renormalised, so that one odd frame changes nothing. A label
    gives way to one that is clearly more likely, and to UNKNOWN when it is clearly not sure enough.
    """

    def __init__(self, number: int, classes: Sequence[str], threshold: float):
        self.number = number
        self.region: Region
        self.last_seen = 0
        self._classes, self._threshold = classes, threshold
        self._shown, self._known, self._probability = -1, False, 0.0
        self._evidence = np.zeros(len(classes), np.float32)  # decayed sum of log-probabilities
        self._weight = 0.0  # decayed count of votes
        self._votes = 0
        self._last_vote = -1
        self._voted_at = 0
        self._voted_box: np.ndarray | None = None
        self.description = Description()

    def see(self, region: Region, frame: int) -> None:
        """Take the track's place in frame number `frame`."""
        self.region, self.last_seen = region, frame

    @property
    def settled(self) -> bool:
        """Whether it has had its first votes and the last one agrees with them all."""
        return self._votes >= EAGER_VOTES and self._last_vote == int(self._evidence.argmax())

    @property
    def due(self) -> bool:
        """Whether the garment should be classified in this frame: new, doubted, changed or due."""
        pause = RENEWAL if self.settled else DOUBTED
        if self._votes < EAGER_VOTES or self.last_seen - self._voted_at >= pause:
            return True
        return likeness(self.region.box, self._voted_box) < CHANGED

    def vote(self, probabilities: np.ndarray) -> None:
        """Add the class probabilities (classes,) of the current frame."""
        self._evidence = MEMORY * self._evidence + np.log(np.maximum(probabilities, FLOOR))
        self._weight = MEMORY * self._weight + 1
        self._votes += 1
        self._last_vote = int(probabilities.argmax())
        self._voted_at, self._voted_box = self.last_seen, self.region.box
        mean = np.exp(self._evidence / self._weight)
        shares = mean / mean.sum()
        best = int(shares.argmax())
        if self._shown < 0 or shares[best] >= CONVINCING * shares[self._shown]:
            self._shown = best
        self._probability = float(shares[self._shown])
        slack = SLACK if self._known else 0
        self._known = self._probability >= self._threshold - slack

    def garment(self, attributes: Mapping[str, str] | None = None) -> Garment:
        """The garment in the current frame, by the votes and looks so far."""
        name = self._classes[self._shown] if self._known else UNKNOWN
        name = UNKNOWN if name == OTHER else name
        return Garment(
            self.region,
            self.number,
            Label(name, self._probability),
            colour=self.description.colour,
            attributes=attributes or {},
        )


def likeness(box: np.ndarray, other: np.ndarray) -> float:
    """Overlap over union of two boxes (4,) moved onto each other: moving alone changes nothing."""
    size, other_size = box[2:] - box[:2], other[2:] - other[:2]
    common = float(np.minimum(size, other_size).prod())
    return common / float(size.prod() + other_size.prod() - common)


class Tracker:
    """Keeps a track for every garment that an associator numbers.

    Args:
        classes: what votes are about.
        threshold: probability under which a garment is called unknown.
        associator: makes what numbers regions; overlap with the last frames by default.
    """

    def __init__(
        self,
        classes: Sequence[str],
        *,
        threshold: float,
        associator: Callable[[], Associate] = Overlap,
    ):
        self._classes, self._threshold = classes, threshold
        self._associator, self._associate = associator, associator()
        self._tracks: dict[int, Track] = {}
        self._frame = 0
        self._given = self._before = 0  # highest number so far, and of the scenes before

    def cut(self) -> None:
        """Another scene begins: whatever lies where a garment was is another garment."""
        self._tracks.clear()
        self._before, self._associate = self._given, self._associator()

    def __call__(self, regions: list[Region]) -> list[Track]:
        """The tracks of the next frame's regions, in their order."""
        self._frame += 1
        followed = []
        for own, region in zip(self._associate(regions), regions, strict=True):
            number = self._before + own
            self._given = max(self._given, number)
            if number not in self._tracks:
                self._tracks[number] = Track(number, self._classes, self._threshold)
            track = self._tracks[number]
            track.see(region, self._frame)
            followed.append(track)
        lost = [k for k, t in self._tracks.items() if self._frame - t.last_seen > FORGOTTEN]
        for number in lost:
            del self._tracks[number]
        return followed
