"""Follows garments from frame to frame and lets each track's frames agree on one label."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.regions import box_iou
from realtime.types import Garment, Label, Region

MIN_OVERLAP = 0.3  # IoU under which two boxes are two garments
PATIENCE = 15  # frames for which a garment may be out of sight and keep its number
MEMORY = 0.85  # share of a track's evidence that the next frame keeps
FLOOR = 1e-4  # least probability a single frame may claim for a class


@dataclass(eq=False)
class _Track:
    number: int
    box: np.ndarray
    evidence: np.ndarray  # decayed sum of log-probabilities, (classes,)
    weight: float  # decayed count of the frames summed
    last_seen: int


class Tracker:
    """Numbers garments by overlap with the last frame and votes on their labels.

    The label shown is that of the geometric mean of the frames' probabilities, recent frames
    counting more; its probability is that mean, renormalised, so one odd frame changes nothing.
    """

    def __init__(self, classes: Sequence[str]):
        self._classes = classes
        self._tracks: list[_Track] = []
        self._frame = 0
        self._next = 1

    def __call__(self, regions: list[Region], probabilities: np.ndarray) -> list[Garment]:
        """Garments of the next frame; probabilities are float32 (N, classes), a row a region."""
        self._frame += 1
        self._tracks = [t for t in self._tracks if self._frame - t.last_seen <= PATIENCE]
        garments = []
        for region, row, track in zip(regions, probabilities, self._match(regions), strict=True):
            track = track or self._start(region)
            track.box, track.last_seen = region.box, self._frame
            track.evidence = MEMORY * track.evidence + np.log(np.maximum(row, FLOOR))
            track.weight = MEMORY * track.weight + 1
            garments.append(Garment(region, track.number, self._label(track)))
        return garments

    def _match(self, regions: list[Region]) -> list[_Track | None]:
        """The track that each region goes on with: best overlaps first, each track once."""
        matched: list[_Track | None] = [None] * len(regions)
        if not regions or not self._tracks:
            return matched
        overlap = box_iou(
            np.stack([region.box for region in regions]),
            np.stack([track.box for track in self._tracks]),
        )
        while overlap.max() >= MIN_OVERLAP:
            row, column = np.unravel_index(overlap.argmax(), overlap.shape)
            matched[row] = self._tracks[column]
            overlap[row, :] = overlap[:, column] = -1
        return matched

    def _start(self, region: Region) -> _Track:
        evidence = np.zeros(len(self._classes), np.float32)
        track = _Track(self._next, region.box, evidence, 0.0, self._frame)
        self._tracks.append(track)
        self._next += 1
        return track

    def _label(self, track: _Track) -> Label:
        mean = np.exp(track.evidence / track.weight)
        mean /= mean.sum()
        best = int(mean.argmax())
        return Label(self._classes[best], float(mean[best]))
