"""One engine for several pipelines: what they ask while it is busy goes through in one batch."""

import threading
from dataclasses import dataclass

import numpy as np

from realtime.analysis.engines import Engine


@dataclass(eq=False)
class _Request:
    batch: np.ndarray
    answer: np.ndarray | None = None
    error: Exception | None = None


class Batched:
    """An engine that may be called from many threads.

    Whoever finds it free takes what all others wait for along, so that no thread of its own is
    needed and nobody waits for others to come.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._busy, self._listing = threading.Lock(), threading.Lock()
        self._waiting: list[_Request] = []

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits float32 (N, K) of images (N, C, H, W)."""
        request = _Request(batch)
        with self._listing:
            self._waiting.append(request)
        with self._busy:
            if request.answer is None and request.error is None:
                self._run()
        if request.error:
            raise request.error
        return request.answer

    def _run(self) -> None:
        with self._listing:
            taken, self._waiting = self._waiting, []
        try:
            answers = self._engine(np.concatenate([one.batch for one in taken]))
        except Exception as error:  # each caller raises it again
            for one in taken:
                one.error = error
            return
        ends = np.cumsum([len(one.batch) for one in taken])[:-1]
        for one, answer in zip(taken, np.split(answers, ends), strict=True):
            one.answer = answer
