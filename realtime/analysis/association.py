"""Which garment of this frame is which of the last ones: ASSOCIATORS rows number regions.

Two of them are well-known trackers of the library `trackers`, imported only when chosen.
"""

from collections.abc import Callable
from itertools import count

import numpy as np

from preprocessing.errors import UsageError
from preprocessing.images.regions import box_iou
from realtime.types import Region

MIN_OVERLAP = 0.3  # IoU under which two boxes are two garments
PATIENCE = 15  # frames for which a garment may be out of sight and keep its number
LIBRARY_RATE = 30  # frames a second that the library counts its patience in

# From the regions of the next frame to a number each, the same for the same garment.
Associate = Callable[[list[Region]], list[int]]


class Overlap:
    """Best overlaps with where garments were last, each once."""

    def __init__(self):
        self._boxes: dict[int, np.ndarray] = {}
        self._seen: dict[int, int] = {}
        self._frame = self._started = 0

    def __call__(self, regions: list[Region]) -> list[int]:
        """The number of each region."""
        self._frame += 1
        gone = [k for k, seen in self._seen.items() if self._frame - seen > PATIENCE]
        for number in gone:
            del self._boxes[number], self._seen[number]
        found = [number or self._start() for number in self._match(regions)]
        for number, region in zip(found, regions, strict=True):
            self._boxes[number], self._seen[number] = region.box, self._frame
        return found

    def _match(self, regions: list[Region]) -> list[int]:
        """Numbers of known garments, 0 for a new one."""
        matched, numbers = [0] * len(regions), list(self._boxes)
        if not regions or not numbers:
            return matched
        boxes = np.stack([region.box for region in regions])
        overlap = box_iou(boxes, np.stack([self._boxes[number] for number in numbers]))
        while overlap.max() >= MIN_OVERLAP:
            row, column = np.unravel_index(overlap.argmax(), overlap.shape)
            matched[row] = numbers[column]
            overlap[row, :] = overlap[:, column] = -1
        return matched

    def _start(self) -> int:
        self._started += 1
        return self._started


class Library:
    """A tracker of the library `trackers`, which also foresees where garments go.

    It numbers a garment from its second frame on; until then overlap does.

    Args:
        name: of its class.

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
        # Every region is a garment already: no score keeps it out, no second frame has to confirm.
        self._tracker = getattr(trackers, name)(
            lost_track_buffer=PATIENCE, frame_rate=LIBRARY_RATE, minimum_consecutive_frames=1,
            minimum_iou_threshold=MIN_OVERLAP,
        )  # fmt: skip
        self._detections = supervision.Detections
        self._overlap, self._fresh = Overlap(), count(1)
        self._waiting: dict[int, int] = {}  # our numbers by those of the overlap
        self._ours: dict[int, int] = {}  # our numbers by the library's

    def __call__(self, regions: list[Region]) -> list[int]:
        """The number of each region."""
        boxes = np.array([region.box for region in regions], np.float32).reshape(-1, 4)
        given = self._detections(xyxy=boxes, data={"row": np.arange(len(boxes))})
        found = self._tracker.update(given)
        theirs = dict(zip(found.data.get("row", ()), found.tracker_id, strict=True))
        return [
            self._number(int(theirs.get(row, -1)), overlapped)
            for row, overlapped in enumerate(self._overlap(regions))
        ]

    def _number(self, theirs: int, overlapped: int) -> int:
        """Our number for a garment that the library numbers, or not yet (below 0)."""
        if theirs < 0:
            if overlapped not in self._waiting:
                self._waiting[overlapped] = next(self._fresh)
            return self._waiting[overlapped]
        if theirs not in self._ours:
            self._ours[theirs] = self._waiting.pop(overlapped, None) or next(self._fresh)
        return self._ours[theirs]


ASSOCIATORS: dict[str, Callable[[], Associate]] = {
    "overlap": Overlap,
    "bytetrack": lambda: Library("ByteTrackTracker"),
    "ocsort": lambda: Library("OCSORTTracker"),
}
