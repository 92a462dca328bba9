"""Waits of the tests: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
DEADLINE = 300  # seconds; what takes one on an idle machine is no hang on a busy one


def until(condition: Callable[[], T]) -> T:
    """Wait until a condition's value is true, and return it; fail at the deadline."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found
