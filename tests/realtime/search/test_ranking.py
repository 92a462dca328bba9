"""Results: who wears all of it, the surest first, over live parts, rows and summaries."""

import pytest

from realtime.search.query import read_query
from realtime.search.ranking import find, joined, presence
from realtime.search.reader import Reader
from realtime.search.storage import RunWriter, compact


@pytest.fixture(params=["live", "rows", "summary"])
def reader(request, tmp_path, stays):
    writer = RunWriter(tmp_path, "run")
    writer.open()
    writer.append(stays)
    if request.param != "live":
        writer.close()
    if request.param == "summary":
        compact(tmp_path)
    found = Reader(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("red jumper", [1, 2]),
        ("red jumper, blue jeans", [1]),
        ("red jumper without a hat", [1]),
        ("green top", [3]),
        ("jumper camera cam3", [3]),
        ("yellow jumper", []),
        ("dress", []),
        ("red jumper between 10:00 and 11:00", []),  # nobody knows the clock
    ],
)
def test_who_wears_all_of_it(reader, text, people):
    found = find(reader, read_query(text))
    assert sorted(one.person for one in found) == people


def test_a_result_says_when_where_and_why(reader):
    (result,) = find(reader, read_query("red jumper, blue jeans"))
    assert (result.camera, result.place, result.spans) == ("cam1", "hall", ((1.0, 3.0),))
    assert 0.6 < result.sure < 0.9
    assert result.reasons[0].startswith("red jumper: longsleeve 80%, red (L a b")
    assert reader.heavy([1], "crop") == {1: b"jpg"}


def test_a_person_wears_it_while_it_is_hidden():
    coat, hat, later = ({"first": a, "last": b} for a, b in ((5, 6), (0, 9), (30, 40)))
    assert presence([coat], there=[coat, hat, later]) == [coat, hat]


def test_spans_that_nearly_touch_are_one():
    assert joined([(5, 6), (0, 1), (2.5, 4)]) == ((0, 6),)
    assert joined([(0, 1), (9, 10)]) == ((0, 1), (9, 10))
