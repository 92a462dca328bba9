"""CUDA graphs: a network as one launch, since to start an operator takes longer than to run it."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

MOST_GRAPHS = 48  # shapes of input that are recorded; others run operator by operator
MOST_IMAGES = 64  # in a batch, beyond which the card and not the launches take the time
TOLERANCE = 2e-2  # of the largest number, between a graph's answers and those of its operators
Function = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded function: `replay` computes `outputs` from what `given` holds."""

    given: Tensor
    outputs: list[Tensor]
    replay: Callable[[], None]


class Recorder:
    """Records functions that are never replayed at the same time: they share their memory."""

    def __init__(self) -> None:
        self._pool: Any = None  # torch's name of the memory, of a type that it keeps to itself

    def __call__(self, function: Function, given: Tensor) -> Recording:
        """Record a function of a tensor on an NVIDIA card, which ran with that shape before.

        Raises:
            RuntimeError: it reads numbers from the card, or allocates what a graph cannot hold.
        """
        own, graph = given.clone(), torch.cuda.CUDAGraph()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        # Other threads may go on using the card meanwhile.
        with (
            torch.cuda.device(given.device),
            torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"),
        ):
            outputs = function(own)
        return Recording(own, outputs, graph.replay)


class Replayed:
    """A function whose operators are recorded once for each shape of input, then replayed.

    The first call of a shape runs operator by operator, the second is recorded and compared with
    its operators. What cannot be recorded, or differs, goes on operator by operator, which a
    warning says.

    Args:
        function: from a tensor to its outputs, on one device and without reading from it.
        record: in place of a `Recorder` of its own.
    """

    def __init__(
        self,
        function: Function,
        *,
        record: Callable[[Function, Tensor], Recording] | None = None,
    ):
        self._function, self._record = function, record or Recorder()
        self._recordings: dict[tuple[int, ...], Recording | None] = {}  # None: seen once
        self._usable, self._lock = True, threading.Lock()

    def __call__(self, given: Tensor) -> list[Tensor]:
        """The outputs in main memory."""
        shape = tuple(given.shape)
        if not self._usable or given.shape[0] > MOST_IMAGES:
            return _on_host(self._function(given))
        with self._lock:  # a recording has one place for its input and outputs
            if shape not in self._recordings:
                if len(self._recordings) < MOST_GRAPHS:
                    self._recordings[shape] = None
                return _on_host(self._function(given))
            recording = self._recordings[shape]
            if recording is None:
                return self._recorded(shape, given)
            recording.given.copy_(given, non_blocking=True)
            recording.replay()
            return _on_host(recording.outputs)

    def _recorded(self, shape: tuple[int, ...], given: Tensor) -> list[Tensor]:
        """Record a shape; the outputs of its operators, with which it is compared."""
        expected = _on_host(self._function(given))
        try:
            recording = self._record(self._function, given)
            recording.replay()
            same = _close(expected, _on_host(recording.outputs))
            reason = "" if same else "its answers differ"
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
        if reason:
            self._usable = False
            self._recordings.clear()
            logger.warning("no CUDA graph of a network (%s): it runs operator by operator", reason)
        else:
            self._recordings[shape] = recording
        return expected


def _on_host(outputs: Sequence[Tensor]) -> list[Tensor]:
    return [one.to("cpu", copy=True) for one in outputs]


def _close(expected: Sequence[Tensor], found: Sequence[Tensor]) -> bool:
    return all(
        float((one - other).abs().max()) <= TOLERANCE * max(1.0, float(one.abs().max()))
        for one, other in zip(expected, found, strict=True)
    )
