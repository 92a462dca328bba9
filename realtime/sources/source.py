"""The contract of sources, which give the frames of a file, stream, camera or pictures."""

from collections.abc import Iterator
from typing import Protocol

from realtime.types import Frame, SourceInfo


class Source(Protocol):
    """The contract of every source.

    Constructing one opens it, entering does no more, and leaving closes it. It is iterated once.

    Attributes:
        info: known before the first frame.
        failed: packets and pictures so far that could not be decoded.
    """

    @property
    def info(self) -> SourceInfo: ...
    @property
    def failed(self) -> int: ...
    def __enter__(self) -> "Source": ...
    def __exit__(self, *exc_info: object) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order, with rising times.

        Raises:
            BrokenSourceError: the source broke off; every frame so far was given.
        """
        ...
