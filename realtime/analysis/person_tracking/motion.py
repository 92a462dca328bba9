"""Where a followed person is expected in the next frame, and how probable a place is."""

import math

import numpy as np

# Lengths are relative to the person's size, a fraction of the longer side of the box.
SIZE = 0.6
JITTER = 0.1  # standard deviation of a box's centre
PARTIAL_JITTER = 0.3  # the same of people who are seen in part
SPEED = 1.2  # standard deviation of people's speeds, a second
SLOWING = 1.2  # seconds after which 1 / e of a speed is left to be expected
SIZE_JITTER = 0.25  # standard deviation of the logarithm of a box's width and height
MOST_SIZE = 2.0  # log-odds that a width or height costs, at the most
SHRINK = 0.15  # weight of a partial box's being too small
SIZE_MEMORY = 0.6  # fraction of the size that a new box keeps
ELSEWHERE = 0.02  # probability that a person is anywhere: a detection failed, a frame was lost
DENSITY = 0.02  # probability of a person without history at a place, a square of the size
BORDER = 0.01  # of the frame's side, within which a box's edge is the frame's


class Motion:
    """A person's place: Kalman filters of constant velocity for x and y.

    Args:
        box: float32 (4,), x1 y1 x2 y2 in pixels.
        time: of the frame in seconds.
        frame: its width and height in pixels.
    """

    def __init__(self, box: np.ndarray, time: float, frame: tuple[int, int]):
        self.time = time
        x1, y1, x2, y2 = box.tolist()
        self._axes = _Axis(x1, x2, frame[0]), _Axis(y1, y2, frame[1])
        self._spread = JITTER**2, 0.0, SPEED**2  # variance of place, covariance, of speed

    def _spread_at(self, passed: float) -> tuple[float, float, float]:
        """The spread after some seconds, of speeds that are an Ornstein-Uhlenbeck process."""
        path, slowed = _path(passed)
        place, both, speed = self._spread
        return (
            place + 2 * path * both + path**2 * speed
            + SPEED**2 * (2 * SLOWING * (passed - path) - path**2),
            slowed * (both + path * speed) + SPEED**2 * path**2 / SLOWING,
            slowed**2 * speed + SPEED**2 * (1 - slowed**2),
        )  # fmt: skip

    def box(self, time: float) -> np.ndarray:
        """The expected box float64 (4,) at a later time, possibly outside the frame."""
        path, _ = _path(time - self.time)
        (x, half_x), (y, half_y) = ((a.centre + path * a.speed, a.side / 2) for a in self._axes)
        return np.array([x - half_x, y - half_y, x + half_x, y + half_y])

    def update(self, box: np.ndarray, time: float, *, partial: bool) -> None:
        """Add the box of a frame.

        Args:
            partial: somebody else may hide a part of the person.
        """
        x1, y1, x2, y2 = box.tolist()
        spans = (x1, x2), (y1, y2)
        partial |= any(axis.cut(*span) for axis, span in zip(self._axes, spans, strict=True))
        place, both, speed = self._spread_at(time - self.time)
        jitter = PARTIAL_JITTER if partial else JITTER
        gain, speed_gain = (one / (place + jitter**2) for one in (place, both))
        self._spread = place * (1 - gain), both * (1 - gain), speed - speed_gain * both
        path, slowed = _path(time - self.time)
        for axis, span in zip(self._axes, spans, strict=True):
            axis.centre, axis.speed = axis.centre + path * axis.speed, slowed * axis.speed
            error = axis.measured(*span) - axis.centre
            axis.centre += gain * error
            axis.speed += speed_gain * error
            axis.resize(*span, partial=partial)
        self.time = time

    def log_odds(self, box: np.ndarray, time: float, *, partial: bool) -> float:
        """Log-odds that a box is this person's, against a person without history."""
        x1, y1, x2, y2 = box.tolist()
        spans = (x1, x2), (y1, y2)
        path, _ = _path(time - self.time)
        cut = [axis.cut(*span) for axis, span in zip(self._axes, spans, strict=True)]
        jitter = PARTIAL_JITTER if partial or any(cut) else JITTER
        variance = self._spread_at(time - self.time)[0] + jitter**2
        size = SIZE * max(axis.side for axis in self._axes)
        distance = sum(
            ((axis.measured(*span) - axis.centre - path * axis.speed) / size) ** 2
            for axis, span in zip(self._axes, spans, strict=True)
        )
        near = math.exp(-distance / (2 * variance)) / (2 * math.pi * variance)
        odds = math.log((1 - ELSEWHERE) * near / DENSITY + ELSEWHERE)
        for axis, (low, high), one in zip(self._axes, spans, cut, strict=True):
            change = math.log(max(1.0, high - low) / axis.side)
            if change < 0 and (partial or one):
                change *= SHRINK
            odds -= min(MOST_SIZE, (change / SIZE_JITTER) ** 2 / 2)
        return odds


class _Axis:
    """A person's centre, speed and width, or height, along one axis of the frame."""

    def __init__(self, low: float, high: float, frame: int):
        self._border = BORDER * frame, (1 - BORDER) * frame
        self.side = max(1.0, high - low)
        self.centre, self.speed = self.measured(low, high), 0.0

    def cut(self, low: float, high: float) -> bool:
        """True if the frame's border may cut off the span of a box."""
        return low <= self._border[0] or high >= self._border[1]

    def measured(self, low: float, high: float) -> float:
        """The centre of the whole person, of whom the border may cut off a part."""
        half = max(self.side, high - low) / 2
        at_low, at_high = low <= self._border[0], high >= self._border[1]
        if at_low != at_high:
            return high - half if at_low else low + half
        return (low + high) / 2

    def resize(self, low: float, high: float, *, partial: bool) -> None:
        """Add the span of a box, of a person who was seen in part or whole."""
        new = self.side**SIZE_MEMORY * max(1.0, high - low) ** (1 - SIZE_MEMORY)
        self.side = max(self.side, new) if partial or self.cut(low, high) else new


def _path(passed: float) -> tuple[float, float]:
    """Seconds' worth of the speed that is walked, and the fraction of the speed that is left."""
    slowed = math.exp(-passed / SLOWING)
    return SLOWING * (1 - slowed), slowed
