"""Detection interval: which frames the locator runs on; optical flow bridges the others."""

import time
from collections.abc import Callable
from typing import Protocol

MUCH_MOTION = 0.3  # of a garment's place, that has changed since the last detection
LONGEST = 3  # times the locator's interval, after which it runs whatever moves
LIVE_EVERY = 1  # frames of a camera, instead of the locator's interval: its labels are to be young
Motion = Callable[[], float]


class DetectionInterval(Protocol):
    """Decides frame by frame if the locator runs.

    Attributes:
        every: least frames from one detection to the next; 0 if that depends on how long they take.
    """

    @property
    def every(self) -> int: ...

    def due(self, *, must: bool, motion: Motion) -> bool:
        """True if the locator should run on the next frame.

        Args:
            must: there are no regions to propagate, at the start or after a scene cut.
            motion: since the last frame that it ran on, as `MotionGate.motion_in` gives it; asked
                only where that decides.
        """
        ...

    def detected(self, seconds: float) -> None:
        """Record that the locator ran, and for how long."""
        ...


class EveryFrame:
    """Detection on every frame."""

    every = 1

    def due(self, *, must: bool, motion: Motion) -> bool:
        return True

    def detected(self, seconds: float) -> None:
        pass


class ByMotion:
    """Detection on every n-th frame while garments move, on fewer while little does.

    Optical flow carries regions well for some frames, and for longer where they stay in place.

    Args:
        every: frames from one detection to the next, at least.
    """

    def __init__(self, every: int):
        self.every, self._since = every, 0

    def due(self, *, must: bool, motion: Motion) -> bool:
        self._since += 1
        longest = self._since >= LONGEST * self.every
        if must or longest or (self._since >= self.every and motion() >= MUCH_MOTION):
            self._since = 0
        return self._since == 0

    def detected(self, seconds: float) -> None:
        pass


class HalfDutyCycle:
    """Detection for at most half of the wall time, so that a slow locator never stalls a live view.

    After a detection the locator pauses for as long as it took.
    """

    every = 0

    def __init__(self) -> None:
        self._next = 0.0

    def due(self, *, must: bool, motion: Motion) -> bool:
        return must or time.monotonic() >= self._next

    def detected(self, seconds: float) -> None:
        self._next = time.monotonic() + seconds


# By the value of --detection-interval; called with the locator's own interval at a smooth pace.
DETECTION_INTERVALS: dict[str, Callable[[int], DetectionInterval]] = {
    "every-frame": lambda every: EveryFrame(),
    "smooth": ByMotion,
    "live": lambda every: HalfDutyCycle(),
}
