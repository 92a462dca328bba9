"""Keyword arguments of the library, which are the fields of the settings."""

import dataclasses
from fractions import Fraction

import pytest

from realtime.library.options import (
    RecognitionOptions,
    SourceOptions,
    recognition,
    source_settings,
)
from realtime.settings import Recognition, SourceSettings


@pytest.mark.parametrize(
    ("options", "settings", "without"),
    # Frames of `track` wait for their garments.
    [
        (RecognitionOptions, Recognition, {"latency"}),
        (SourceOptions, SourceSettings, {"addresses"}),
    ],
)
def test_the_names_are_those_of_the_settings(options, settings, without):
    fields = {field.name for field in dataclasses.fields(settings)}
    assert options.__annotations__.keys() == fields - without


def test_the_model_is_the_locator_s_own_as_on_the_command_line():
    assert recognition().model == "photo"
    assert recognition(locator="yolo").model == "yolo-names"
    assert recognition(locator="yolo", model="deep").model == "deep"


def test_times_are_numbers_or_texts():
    found = source_settings("a.mp4", start="1:30", end=90.1, every=Fraction(1, 3))
    assert (found.start, found.end, found.every) == (90, Fraction(901, 10), Fraction(1, 3))
    assert source_settings(0, camera_size=(640, 480)).addresses == (0,)
