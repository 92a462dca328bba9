"""The contract of sinks, which write or show labelled frames; their table is in sink_table.py."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Protocol

from preprocessing.errors import SinkError
from realtime.types import LabelledFrame, SourceInfo


class Sink(Protocol):
    """The contract of every sink.

    The constructor checks its arguments and touches no file. Then `open` is called once, `write`
    for every frame in order, and `close` once, also after a `write` that failed, but not after an
    `open` that did. `write` and `close` run on a thread of its own; an exception of `write` that
    may pass is followed by more calls of it, unless the sink is the one that counts.

    Attributes:
        needs_picture: True if it uses `LabelledFrame.picture`.
        target: path or address in messages; a sink may go without.
        newest: True if older frames may be left out for newer ones; so too.
    """

    @property
    def needs_picture(self) -> bool: ...

    def open(self, info: SourceInfo) -> None:
        """Begin the output of a source, on any thread; what was begun is undone if it fails.

        Raises:
            SinkError: the output cannot be written.
        """
        ...

    def write(self, labelled: LabelledFrame) -> None:
        """Write what a frame adds.

        Raises:
            SinkError: the output cannot be written any more.
        """
        ...

    def close(self, *, complete: bool) -> None:
        """Finish the output, so that it can be used.

        Args:
            complete: False if the run was stopped or failed before the end of its source.

        Raises:
            SinkError: its last part cannot be written.
        """
        ...


@contextmanager
def opened(sinks: Sequence[Sink], info: SourceInfo) -> Iterator[None]:
    """Open sinks in order; on leaving, close those that opened in reverse order.

    Raises:
        SinkError: the first one that a sink raised.
    """
    with ExitStack() as stack:
        for sink in sinks:
            sink.open(info)
            stack.push(partial(_close, sink))
        yield


def _close(
    sink: Sink,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
) -> None:
    try:
        sink.close(complete=kind is None)
    except SinkError:
        if not isinstance(error, SinkError):  # else that one is the cause, and is raised
            raise
