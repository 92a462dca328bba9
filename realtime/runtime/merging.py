"""Concurrent calls of one function on batches of images, merged into fewer and larger ones."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class _Request:
    batch: np.ndarray
    results: Sequence[np.ndarray] | None = None
    error: Exception | None = None


class Merger:
    """Merges concurrent calls: those that wait for a running one go in one batch.

    The first caller to get the lock runs the pending requests of all callers, so that it needs no
    thread of its own, nobody waits for others to come, and a lone caller waits for nothing.

    Args:
        run: from images (N, ...) to arrays (N, ...).
        most: images of a batch, unless one caller has more.
        padded: fill batches up to a power of two, at most to `most`, by repeating an image: what an
            engine prepares for each shape of input, it prepares for few.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], Sequence[np.ndarray]],
        *,
        most: int,
        padded: bool,
    ):
        self._run, self._most, self._padded = run, most, padded
        self._running, self._listing = threading.Lock(), threading.Lock()
        self._pending: list[_Request] = []

    def __call__(self, batch: np.ndarray) -> Sequence[np.ndarray]:
        """The arrays for a caller's own images."""
        request = _Request(batch)
        with self._listing:
            self._pending.append(request)
        with self._running:
            if request.results is None and request.error is None:
                self._run_with(request)
        if request.results is None:
            assert request.error is not None
            raise request.error
        return request.results

    def _run_with(self, own: _Request) -> None:
        """Run a request with those that are like it."""
        with self._listing:
            requests = self._alike(own)
            self._pending = [one for one in self._pending if one not in requests]
        try:
            results = self._run(self._joined([request.batch for request in requests]))
        except Exception as error:  # each caller raises it again
            for request in requests:
                request.error = error
            return
        begin = 0
        for request in requests:
            end = begin + len(request.batch)
            request.results, begin = [one[begin:end] for one in results], end

    def _alike(self, own: _Request) -> list[_Request]:
        """A request, and those of its shape that fit into the batch beside it."""
        chosen, total, like = [own], len(own.batch), (own.batch.shape[1:], own.batch.dtype)
        for one in self._pending:
            fits = total + len(one.batch) <= self._most
            if one is not own and fits and (one.batch.shape[1:], one.batch.dtype) == like:
                chosen.append(one)
                total += len(one.batch)
        return chosen

    def _joined(self, batches: list[np.ndarray]) -> np.ndarray:
        count = sum(map(len, batches))
        full = min(1 << (count - 1).bit_length(), self._most)
        missing = max(0, full - count) if self._padded else 0
        if len(batches) == 1 and not missing:
            return batches[0]
        return np.concatenate([*batches, *[batches[0][:1]] * missing])
