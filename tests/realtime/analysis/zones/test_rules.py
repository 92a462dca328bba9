"""Rules: their texts, and what breaks them."""

import pytest

from realtime.analysis.zones.rules import read_rule
from realtime.types import Worn


@pytest.mark.parametrize(
    ("text", "worn", "broken"),
    [
        ("zone floor without hat", [("t-shirt", "red")], True),
        ("zone floor without hat", [("hat", "")], False),
        ("in zone floor without hat or bag", [("bag", "")], False),
        ("zone floor with red top", [("t-shirt", "red")], True),
        ("zone floor with red top", [("t-shirt", "blue"), ("pants", "red")], False),
        ("zone floor without yellow outwear for 5 s", [], True),
    ],
)
def test_what_breaks_a_rule(text, worn, broken):
    rule = read_rule(text)
    assert rule.zone == "floor"
    assert rule.is_broken_by([Worn(label, colour, 1) for label, colour in worn]) is broken


def test_numbers_and_seconds_of_rules():
    rule = read_rule("zone left hall more than 3 for 2.5s")
    assert (rule.zone, rule.most, rule.seconds) == ("left hall", 3, 2.5)


@pytest.mark.parametrize("text", ["floor without hat", "zone floor", "zone a more than many"])
def test_texts_that_are_no_rules(text):
    with pytest.raises(ValueError, match="zone NAME without KIND"):
        read_rule(text)
