"""Keyword arguments of the library: the fields of the app's settings, by the same names.

A test holds that they are the same; type checkers read them here.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack

from preprocessing.errors import UsageError
from preprocessing.flags import FlagField, flag_fields
from realtime.analysis.locators import LOCATORS
from realtime.runtime.cut import read_seconds
from realtime.settings import (
    Address,
    Recognition,
    SourceSettings,
    at_precision,
    with_own_model,
)
from training.inference.label_sources import LABEL_SOURCES

Seconds = float | Fraction | str  # a text is "90", "1:30" or "0:01:30.5"
TIMES = ("start", "end", "every")


class RecognitionOptions(TypedDict, total=False):
    """The fields of `settings.Recognition`, which explains them; so does `--help`."""

    model: str
    locator: str
    label_source: str | None
    label_threshold: float
    names: str
    detection_confidence: float | None
    only: tuple[str, ...]
    pose: bool | None
    tracker: str
    attributes: str | None
    wardrobe: Path | None
    colour: bool
    detection_interval: str
    engine: str
    device: str
    precision: str
    threads: int


class SourceOptions(TypedDict, total=False):
    """The fields of `settings.SourceSettings` but for the address; times also as numbers."""

    camera_size: tuple[int, int] | None
    camera_fps: float | None
    camera_format: str | None
    reconnect: float
    timeout: float
    hwaccel: str
    insecure: bool
    start: Seconds
    end: Seconds | None
    every: Seconds | None
    keep_times: bool


def recognition(**options: Unpack[RecognitionOptions]) -> Recognition:
    """Return settings with some values of one's own.

    Raises:
        UsageError: a value is out of range, or none of those that there are.
    """
    found = Recognition(**options)
    return checked(at_precision(found if "model" in options else with_own_model(found)))


def checked(found: Recognition) -> Recognition:
    """Return settings whose values are ones that the flags take.

    Raises:
        UsageError: one is not.
    """
    for one in flag_fields(found):
        choices = _choices(one)
        if choices and one.value is not None and one.value not in choices:
            raise UsageError(f"{one.field} must be one of {', '.join(choices)}, got {one.value!r}")
        if one.flag.reads and isinstance(one.value, str):
            try:
                one.flag.reads(one.value)
            except ValueError as error:
                words = f"{one.field} must be {one.flag.wanted}, got {one.value!r}"
                raise UsageError(words) from error
    return found


def _choices(one: FlagField) -> tuple[str, ...]:
    """The values that a field can have; locators may have been added since flags were made."""
    now = {"locator": ("auto", *LOCATORS), "label_source": LABEL_SOURCES}
    return tuple(now.get(one.field, one.flag.choices))


def source_settings(address: Address | Path, **options: Unpack[SourceOptions]) -> SourceSettings:
    """Return the settings by which a source is opened.

    Raises:
        UsageError: a value is out of range.
    """
    given: dict[str, Any] = {
        name: _seconds(name, value) if name in TIMES and value is not None else value
        for name, value in options.items()
    }
    named = address if isinstance(address, int) else str(address)
    return SourceSettings(addresses=(named,), **given)


def _seconds(name: str, value: Any) -> Fraction:
    try:
        found = read_seconds(value) if isinstance(value, str) else Fraction(value)
        found = found.limit_denominator(10**6)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{name} must be seconds or h:mm:ss, got {value!r}") from error
    if found < 0 or (name != "start" and not found):
        raise UsageError(f"{name} must be {'0 or more' if name == 'start' else 'above 0'}, "
                         f"got {value!r}")  # fmt: skip
    return found
