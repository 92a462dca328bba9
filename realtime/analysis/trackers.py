"""Trackers: which region of this frame is which garment of the frames before.

The contract Tracker, and TRACKERS, the table behind --track. ByteTrack and OC-SORT are those of the
library `trackers`, imported only if chosen.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.regions import box_iou, greedy_matches
from realtime.types import Region

MIN_OVERLAP = 0.3  # IoU below which two boxes are two garments
TINY = 1e-6  # IoU, on top of that of pairs that match without any
PATIENCE = 15  # frames for which a garment may be out of sight and keep its track ID
WORN_PATIENCE = 300  # the same of a numbered person, whom the person tracker recognises
LIBRARY_RATE = 30  # frames a second, the unit in which the library counts its patience


class Tracker(Protocol):
    """Assigns track IDs; remembers the frames of one source."""

    def __call__(self, regions: list[Region], /) -> list[int]:
        """The track IDs of the next frame's regions, above 0 and in their order."""
        ...


class OverlapTracker:
    """Greedy matching by IoU with each garment's last box.

    Garments of different numbered people never match. Those of one person and one layer match
    wherever they are, since nobody wears two: fast ones are followed too.
    """

    def __init__(self) -> None:
        self._garments: dict[int, Region] = {}
        self._last_seen: dict[int, int] = {}
        self._frame = 0
        self._new_ids = count(1)

    def __call__(self, regions: list[Region]) -> list[int]:
        """The track IDs of the next frame's regions."""
        self._frame += 1
        self._forget_lost()
        matched = self._match(regions)
        found = [matched.get(row) or next(self._new_ids) for row in range(len(regions))]
        for track_id, region in zip(found, regions, strict=True):
            self._garments[track_id], self._last_seen[track_id] = region, self._frame
        return found

    def _forget_lost(self) -> None:
        for track_id, last_seen in list(self._last_seen.items()):
            if self._frame - last_seen > patience_of(self._garments[track_id]):
                del self._garments[track_id], self._last_seen[track_id]

    def _match(self, regions: list[Region]) -> dict[int, int]:
        """Known track IDs by the regions' indices."""
        if not regions or not self._garments:
            return {}
        known, garments = list(self._garments), list(self._garments.values())
        overlap = box_iou(*(np.stack([one.box for one in some]) for some in (regions, garments)))
        overlap[_of_different_people(regions, garments)] = 0
        lost = np.array([self._frame - self._last_seen[one] > PATIENCE for one in known])
        overlap[~_of_one_person(regions, garments) & lost] = 0
        matches = greedy_matches(overlap, minimum=MIN_OVERLAP)
        # The second round is for those of one person and layer whom overlap alone doesn't match.
        same = np.where(_of_one_wearer(regions, garments), overlap + TINY, 0)
        for row, column in matches:
            same[row, :] = same[:, column] = 0
        matches += greedy_matches(same, minimum=TINY)
        return {row: known[column] for row, column in matches}


def patience_of(region: Region) -> int:
    """Frames for which a garment last seen in a region may be out of sight."""
    return WORN_PATIENCE if region.wearer and region.wearer.number else PATIENCE


def _numbers(regions: Sequence[Region]) -> np.ndarray:
    """The wearers' numbers int (N,); 0 where there is none."""
    return np.array([region.wearer.number if region.wearer else 0 for region in regions])


def _of_different_people(regions: Sequence[Region], others: Sequence[Region]) -> np.ndarray:
    """True for pairs that two numbered people wear, bool (N, M)."""
    first, second = _numbers(regions)[:, None], _numbers(others)[None]
    return (first > 0) & (second > 0) & (first != second)


def _of_one_person(regions: Sequence[Region], others: Sequence[Region]) -> np.ndarray:
    """True for pairs of one numbered person, bool (N, M)."""
    first, second = _numbers(regions)[:, None], _numbers(others)[None]
    return (first > 0) & (first == second)


def _of_one_wearer(regions: Sequence[Region], others: Sequence[Region]) -> np.ndarray:
    """True for pairs of one numbered person and one best layer, bool (N, M)."""
    layer, other_layer = (
        np.array([-1 if one.scores is None else one.scores.argmax() for one in some])
        for some in (regions, others)
    )
    same_layer = (layer[:, None] == other_layer[None]) & (layer[:, None] >= 0)
    return _of_one_person(regions, others) & same_layer


class LibraryTracker:
    """A tracker of the library `trackers`, which also predicts where garments move.

    It assigns an ID from a garment's second frame on; before that, overlap does.

    Args:
        name: of the library's class.

    Raises:
        UsageError: the library is not installed.
    """

    def __init__(self, name: str):
        try:
            import supervision
            import trackers
        except ImportError as error:
            raise UsageError("--track bytetrack and ocsort need a library: `pip install "
                             "trackers`, or use --track overlap") from error  # fmt: skip
        # Every region is a garment already: no score excludes it, no second frame confirms it.
        self._tracker = getattr(trackers, name)(
            lost_track_buffer=PATIENCE,
            frame_rate=LIBRARY_RATE,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=MIN_OVERLAP,
        )
        self._detections = supervision.Detections
        self._overlap, self._new_ids = OverlapTracker(), count(1)
        self._tentative: dict[int, int] = {}  # our IDs by those of the overlap tracker
        self._confirmed: dict[int, int] = {}  # our IDs by the library's

    def __call__(self, regions: list[Region]) -> list[int]:
        """The track IDs of the next frame's regions."""
        boxes = np.array([region.box for region in regions], np.float32).reshape(-1, 4)
        detections = self._detections(xyxy=boxes, data={"row": np.arange(len(boxes))})
        found = self._tracker.update(detections)
        library_ids = dict(zip(found.data.get("row", ()), found.tracker_id, strict=True))
        return [
            self._track_id(int(library_ids.get(row, -1)), overlap_id)
            for row, overlap_id in enumerate(self._overlap(regions))
        ]

    def _track_id(self, library_id: int, overlap_id: int) -> int:
        """Our ID of a garment; the library's is below 0 until it assigns one."""
        if library_id < 0:
            if overlap_id not in self._tentative:
                self._tentative[overlap_id] = next(self._new_ids)
            return self._tentative[overlap_id]
        if library_id not in self._confirmed:
            known = self._tentative.pop(overlap_id, None)
            self._confirmed[library_id] = known or next(self._new_ids)
        return self._confirmed[library_id]


TRACKERS: dict[str, Callable[[], Tracker]] = {
    "overlap": OverlapTracker,
    "bytetrack": lambda: LibraryTracker("ByteTrackTracker"),
    "ocsort": lambda: LibraryTracker("OCSORTTracker"),
}
