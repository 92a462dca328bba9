"""The part of a source that is wanted, and the times that name it. Imports nothing heavy."""

import re
from dataclasses import dataclass
from fractions import Fraction

from preprocessing.errors import UsageError

CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?|[.,]\d+)")  # [[hours:]minutes:]seconds
ROUNDING = Fraction(1, 2000)  # seconds: rows and players show milliseconds


def read_seconds(text: str) -> Fraction:
    """Return the seconds of "90", "90.5", "1:30" or "0:01:30.500".

    Raises:
        ValueError: it is none of these.
    """
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hours, minutes, seconds = found[1] or "0", found[2], Fraction(found[3].replace(",", "."))
    if minutes is not None and (seconds >= 60 or (found[1] and int(minutes) >= 60)):
        raise ValueError(text)
    return 3600 * int(hours) + 60 * int(minutes or 0) + seconds


def clock_text(seconds: Fraction) -> str:
    """Return seconds as 0:01:30.500."""
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return (f"{minutes // 60}:{minutes % 60:02d}:{milliseconds // 1000:02d}"
            f".{milliseconds % 1000:03d}")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The frames that are wanted, in seconds from the beginning that players show.

    Attributes:
        end: None for the end of the source.
        every: seconds from one frame to the next; None for all frames.

    Raises:
        UsageError: the end is not behind the start, or a number is out of range.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    every: Fraction | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise UsageError(f"--end {clock_text(self.end)} must be after --start "
                             f"{clock_text(self.start)}")  # fmt: skip
        if self.every is not None and self.every <= 0:
            raise UsageError("--every must be above 0 seconds")

    def __bool__(self) -> bool:
        """True if it leaves anything out."""
        return bool(self.start) or self.end is not None or self.every is not None
