"""Tracks: one garment over time, whose frames agree on a label, a colour and attributes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from preprocessing.labels import OTHER
from realtime.analysis.trackers import OverlapTracker, Tracker, patience_of
from realtime.types import UNKNOWN, Garment, Label, Region
from training.inference.name_tree import NAMES, NameCalibration, NameTree

FORGOTTEN = 2  # times a tracker's patience, after which none resumes a track
MEMORY = 0.85  # fraction of a track's evidence that the next vote keeps
FLOOR = 1e-4  # minimum probability of a class in a single vote
FIRST_VOTES = 5  # that a new track gets, frame after frame
# Frames after which a garment votes again: an unchanged one, and one whose last vote differs from
# the label, times the votes that it has already: what many votes did not settle, the next one
# hardly does.
INTERVAL, DOUBT_INTERVAL = 20, 0.5
CONVINCING = 1.5  # times the shown name's probability, from which one beside it is shown instead
# Above the threshold, that the kind of a worn garment needs, where a more general name can take its
# place: rooms that the networks have not learnt from mislead them with 0.5 to 0.6.
WORN_KIND = 0.1
HYSTERESIS = 0.1  # of probability, by which a shown name may fall below the threshold
FIRST_OBSERVATIONS = 3  # of its appearance, that a new track gets, frame after frame
OBSERVATION_INTERVAL = 25  # frames after which its appearance is observed again
CHANGED = 0.8  # size IoU with the box at the last vote, below which a garment votes at once


class Appearance:
    """Colour and attribute evidence of one track."""

    def __init__(self) -> None:
        self._colours: Counter[str] = Counter()
        self._log_likelihood: np.ndarray | None = None  # sums over the attributes' classes
        self._observations, self._last_frame = 0, 0

    def due(self, frame: int) -> bool:
        """True if the track should be observed in frame number `frame`."""
        return (
            self._observations < FIRST_OBSERVATIONS
            or frame - self._last_frame >= OBSERVATION_INTERVAL
        )

    def observe(self, frame: int, colour: str, log_probabilities: np.ndarray | None) -> None:
        """Add one frame's colour name and attribute log-probabilities (outputs,), if there are."""
        self._observations, self._last_frame = self._observations + 1, frame
        self._colours[colour] += 1
        if log_probabilities is not None:
            before = 0 if self._log_likelihood is None else self._log_likelihood
            self._log_likelihood = before + log_probabilities

    @property
    def colour(self) -> str:
        """The most frequent colour name; empty before the first observation."""
        return max(self._colours, key=self._colours.__getitem__, default="")

    @property
    def mean_log_probabilities(self) -> np.ndarray | None:
        """Of the attributes' classes (outputs,); None if none were observed."""
        if self._log_likelihood is None:
            return None
        return self._log_likelihood / self._observations


class SteadyName:
    """The name of a track, which changes on clear evidence alone.

    A name gives way to the one beside it that is clearly more probable, and to a more general one
    if it is clearly too improbable itself.

    Args:
        threshold: minimum probability of a name.
        kinds: only classes are names, none that is more general.
    """

    def __init__(self, tree: NameTree, *, threshold: float, kinds: bool):
        self._tree, self._threshold, self._kinds = tree, threshold, kinds
        self._way: list[int] = []  # from the root to the most probable class
        self._shown: int | None = None  # the name on that way
        self.label = Label(UNKNOWN, 0.0)  # its probability is that of the class if it is UNKNOWN

    def update(self, probabilities: np.ndarray, *, worn: bool) -> None:
        """Choose the name by probabilities (classes,), of a garment that someone wears or not."""
        tree, sums = self._tree, self._tree.sums(probabilities)
        if self._kinds:
            self._way = self._way_to_class(probabilities)
        else:
            self._way = tree.descend(sums, kept=self._way, convincing=CONVINCING)
        thresholds = np.full(len(sums), self._threshold)
        if worn and not self._kinds:
            thresholds[tree.refining] += WORN_KIND
        calibrated = tree.calibrated(sums, worn=worn)
        if self._shown is not None:
            # A kind that replaces another one keeps its slack: there is no name between them.
            thresholds[slice(None) if self._kinds else tree.way_to(self._shown)] -= HYSTERESIS
        candidates = self._way[-1:] if self._kinds else self._way
        self._shown = tree.deepest(candidates, calibrated, thresholds)
        path = tree.path(self._way, calibrated)
        if self._shown is None:
            self.label = Label(UNKNOWN, path[-1][1], path)
        else:
            self.label = Label(tree.names[self._shown], float(calibrated[self._shown]), path)

    def _way_to_class(self, probabilities: np.ndarray) -> list[int]:
        """The way to the most probable class, or to the last one if it is not clearly less so."""
        classes, names = self._tree.classes, self._tree.names
        best = int(probabilities.argmax())
        last = classes.index(names[self._way[-1]]) if self._way else best
        if probabilities[best] < CONVINCING * probabilities[last]:
            best = last
        return self._tree.way_to(names.index(classes[best]))

    def denied(self, *, worn: bool) -> bool:
        """True if nothing should be shown: no garment is more probable than any.

        Nor is a worn one shown of which not even the part of the body is sure: a tenth of those
        that a parser finds, most of them bags, hats and shoes that are none.
        """
        if self._shown is not None or not self._way:
            return False
        return self._tree.names[self._way[0]] == OTHER or (worn and not self._kinds)

    def covers(self, *classes: int) -> bool:
        """True if the shown name is one of all these classes, given by their indices."""
        return self._shown is not None and bool(self._tree.members[self._shown, classes].all())


class Track:
    """One garment over time; `region` is its place in the current frame.

    The label is that of the geometric mean of the votes' probabilities, recent votes weighing more;
    its probability is by that mean, renormalised, so that one odd frame changes nothing.

    Args:
        classes: number of the votes' columns.
        name: of this track, before its first vote.
    """

    def __init__(self, track_id: int, region: Region, *, classes: int, name: SteadyName):
        self.track_id = track_id
        self.region = region
        self.last_seen = 0
        self.appearance = Appearance()
        self._name = name
        self._log_likelihood = np.zeros(classes, np.float32)  # decayed sum over the votes
        self._weight = 0.0  # decayed count of votes
        self._votes = 0
        self._last_vote = -1
        self._voted_at = 0
        self._voted_box = region.box

    def update(self, region: Region, frame: int) -> None:
        """Set the track's place in frame number `frame`."""
        self.region, self.last_seen = region, frame

    @property
    def labelled(self) -> bool:
        """True after its first vote."""
        return self._votes > 0

    @property
    def settled(self) -> bool:
        """True after the first votes, if the last one agrees with all of them, or with the name."""
        best = int(self._log_likelihood.argmax())
        agrees = self._last_vote == best or self._name.covers(self._last_vote, best)
        return self._votes >= FIRST_VOTES and agrees

    @property
    def is_garment(self) -> bool:
        """True unless the votes so far say that it is none: a curtain, a bottle, hair.

        Locators without scores are for prepared grounds, on which whatever lies there is meant.
        """
        region = self.region
        return region.scores is None or not self._name.denied(worn=region.wearer is not None)

    @property
    def due(self) -> bool:
        """True if the garment should be classified in this frame: new, in doubt, changed or due."""
        interval = INTERVAL if self.settled else min(INTERVAL, DOUBT_INTERVAL * self._votes)
        if self._votes < FIRST_VOTES or self.last_seen - self._voted_at >= interval:
            return True
        return size_iou(self.region.box, self._voted_box) < CHANGED

    def vote(self, probabilities: np.ndarray) -> None:
        """Add the class probabilities (classes,) of the current frame."""
        vote = np.log(np.maximum(probabilities, FLOOR))
        self._log_likelihood = MEMORY * self._log_likelihood + vote
        self._weight = MEMORY * self._weight + 1
        self._votes += 1
        self._last_vote = int(probabilities.argmax())
        self._voted_at, self._voted_box = self.last_seen, self.region.box
        mean = np.exp(self._log_likelihood / self._weight)
        self._name.update(mean / mean.sum(), worn=self.region.bare is not None)

    def garment(self, attributes: Mapping[str, str] | None = None) -> Garment:
        """The garment in the current frame, labelled by the votes so far."""
        return Garment(
            self.region,
            self.track_id,
            self._name.label,
            colour=self.appearance.colour,
            attributes=attributes or {},
        )


def size_iou(box: np.ndarray, other: np.ndarray) -> float:
    """IoU of two boxes (4,) with one corner in common, so that motion alone leaves it at 1."""
    size, other_size = box[2:] - box[:2], other[2:] - other[:2]
    common = float(np.minimum(size, other_size).prod())
    return common / float(size.prod() + other_size.prod() - common)


class TrackManager:
    """The tracks of one source: starts, updates and ends them.

    Args:
        classes: names of the columns of the votes.
        threshold: probability below which a garment is unknown.
        tracker: makes the tracker, anew for every scene.
        kinds: only classes are labels, none that is more general.
        calibration: of the names' probabilities.
    """

    def __init__(
        self,
        classes: Sequence[str],
        *,
        threshold: float,
        tracker: Callable[[], Tracker] = OverlapTracker,
        kinds: bool = False,
        calibration: NameCalibration = NAMES.neutral,
    ):
        self._tree = NameTree(tuple(classes), calibration)
        self._threshold, self._kinds = threshold, kinds
        self._make_tracker, self._tracker = tracker, tracker()
        self._tracks: dict[int, Track] = {}
        self._frame = 0
        self._highest_id = self._previous_scenes = 0  # the highest track ID, and before this scene

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of the votes."""
        return self._tree.classes

    def start_scene(self) -> None:
        """End all tracks after a scene cut: whatever lies where a garment was is another."""
        self._tracks.clear()
        self._previous_scenes, self._tracker = self._highest_id, self._make_tracker()

    def __call__(self, regions: list[Region]) -> list[Track]:
        """The tracks of the next frame's regions, in their order."""
        self._frame += 1
        found = [
            self._updated(self._previous_scenes + scene_id, region)
            for scene_id, region in zip(self._tracker(regions), regions, strict=True)
        ]
        for track_id, track in list(self._tracks.items()):
            if self._frame - track.last_seen > FORGOTTEN * patience_of(track.region):
                del self._tracks[track_id]
        return found

    def _updated(self, track_id: int, region: Region) -> Track:
        self._highest_id = max(self._highest_id, track_id)
        if track_id not in self._tracks:
            name = SteadyName(self._tree, threshold=self._threshold, kinds=self._kinds)
            classes = len(self._tree.classes)
            self._tracks[track_id] = Track(track_id, region, classes=classes, name=name)
        track = self._tracks[track_id]
        track.update(region, self._frame)
        return track
