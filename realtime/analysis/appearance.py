"""The appearance of one track over time: colour and attributes, agreed on by its observations."""

from collections import Counter

import numpy as np

FIRST_OBSERVATIONS = 3  # that a new track gets, frame after frame
INTERVAL = 25  # frames after which it is observed again


class Appearance:
    """Colour and attribute evidence of one track."""

    def __init__(self) -> None:
        self._colours: Counter[str] = Counter()
        self._log_likelihood: np.ndarray | None = None  # sums over the attributes' classes
        self._observations, self._last_frame = 0, 0

    def due(self, frame: int) -> bool:
        """True if the track should be observed in frame number `frame`."""
        return self._observations < FIRST_OBSERVATIONS or frame - self._last_frame >= INTERVAL

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
