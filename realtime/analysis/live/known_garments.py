"""The garments that the detection interval goes by: those known a fixed number of frames ago.

On machines with many cores frames are begun ahead of others. By the newest garments there would be
other detections there, and so other labels, than on machines with few.
"""

from collections import deque
from collections.abc import Sequence

from realtime.types import Region


class KnownGarments:
    """Regions of the frames that are finished.

    Args:
        lag: frames that may be begun before one is finished, at most.
    """

    def __init__(self, lag: int):
        self._lag, self._begun = lag, 0
        self._finished = 0
        self._regions: deque[Sequence[Region] | None] = deque(maxlen=lag + 1)

    def add(self, regions: Sequence[Region] | None) -> None:
        """Add the regions of the next finished frame; None while a label is in doubt."""
        self._finished += 1
        self._regions.append(regions)

    def begin(self) -> Sequence[Region] | None:
        """The regions to go by for the frame that is begun next; None if labels may change."""
        frame = self._begun - self._lag - 1
        self._begun += 1
        first = self._finished - len(self._regions)
        return self._regions[frame - first] if frame >= 0 else None
