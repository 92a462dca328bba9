"""One engine for several pipelines: requests that come while it is busy run as one batch."""

import threading
from dataclasses import dataclass

import numpy as np

from realtime.analysis.engines import Engine


@dataclass(eq=False)
class _Request:
    batch: np.ndarray
    logits: np.ndarray | None = None
    error: Exception | None = None


class BatchedEngine:
    """A thread-safe engine.

    The first caller to get the lock runs the pending requests of all callers as one batch, so that
    it needs no thread of its own and nobody waits for others to come.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._running, self._listing = threading.Lock(), threading.Lock()
        self._pending: list[_Request] = []

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits float32 (N, K) of images (N, C, H, W)."""
        request = _Request(batch)
        with self._listing:
            self._pending.append(request)
        with self._running:
            if request.logits is None and request.error is None:
                self._run_pending()
        if request.logits is None:
            assert request.error is not None
            raise request.error
        return request.logits

    def _run_pending(self) -> None:
        with self._listing:
            requests, self._pending = self._pending, []
        try:
            logits = self._engine(np.concatenate([request.batch for request in requests]))
        except Exception as error:  # each caller raises it again
            for request in requests:
                request.error = error
            return
        ends = np.cumsum([len(request.batch) for request in requests])[:-1]
        for request, part in zip(requests, np.split(logits, ends), strict=True):
            request.logits = part
