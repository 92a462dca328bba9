"""Queries in words: what is understood, what is searched in a wider sense, and what is not."""

from datetime import date, time

import pytest

from preprocessing.errors import UsageError
from realtime.search.query import Item, read_query


def items(text):
    return [(i.kind, i.colours, i.lights, i.worn) for i in read_query(text).items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red hoodie, blue jeans", [("longsleeve", ("red",), (), True),
                                    ("pants", ("blue",), (), True)]),
        ("a person with trainers and no hat", [("shoes", (), (), True), ("hat", (), (), False)]),
        ("white and navy top", [("top", ("white", "navy"), (), True)]),
        ("dark coat with light grey dresses", [("outwear", (), ("dark",), True),
                                               ("dress", ("grey",), ("light",), True)]),
        ("something red", [("garment", ("red",), (), True)]),
        ("a dress in dark red", [("dress", ("red",), ("dark",), True)]),
        ("red", [("garment", ("red",), (), True)]),
        ("without a bag", [("garment", (), (), True), ("bag", (), (), False)]),
        ("black t shirt", [("t-shirt", ("black",), (), True)]),
    ],
)  # fmt: skip
def test_words_become_garments(text, expected):
    assert items(text) == expected


def test_times_and_cameras():
    query = read_query("blue shirt between 10:00 and 11:30 on 2026-05-03 camera door place hall")
    assert (query.since, query.until, query.days) == (time(10), time(11, 30), (date(2026, 5, 3),))
    assert (query.cameras, query.places, query.unknown) == (("door",), ("hall",), ())
    assert query.timed and query.restricted


def test_what_is_not_understood_is_named_not_guessed():
    query = read_query("crimsn striped jumper")
    assert query.items == (Item("longsleeve", "jumper"),)
    assert query.unknown == ("crimsn (did you mean crimson?)",
                             "striped (patterns are not in the index)")  # fmt: skip
    assert query.notes == ("jumper is searched as longsleeve",)
    with pytest.raises(UsageError, match="not understood: floofy, zorb"):
        read_query("floofy zorb")


def test_taught_names_are_kinds():
    assert read_query("red Gala", taught=["gala"]).items == (Item("gala", "gala", ("red",)),)
