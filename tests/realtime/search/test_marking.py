"""--find: garments of a frame that fit a query are marked."""

import make

from realtime.search.marking import Marker
from realtime.search.query import read_query

TOP = (("garment", 0.99), ("upper body", 0.9), ("top", 0.9), ("longsleeve", 0.7))
LEGS = (("garment", 0.99), ("lower body", 0.9), ("pants", 0.8))
HAT = (("garment", 0.99), ("hat", 0.9))


def worn(person, track, path, colour):
    return make.garment(path[-1][0], track=track, path=path, colour=colour, person=person)


GARMENTS = [
    worn(1, 1, TOP, "red"), worn(1, 2, LEGS, "blue"),
    worn(2, 3, TOP, "red"), worn(2, 4, LEGS, "black"), worn(2, 5, HAT, "black"),
]  # fmt: skip


def marked(text):
    found = Marker(read_query(text), text)(GARMENTS)
    return [one.track for one in found if one.attributes.get("find") == text]


def test_the_garments_of_who_wears_all_are_marked():
    assert marked("red top") == [1, 3]
    assert marked("red jumper, blue jeans") == [1, 2]
    assert marked("red jumper without a hat") == [1]
    assert marked("dark trousers") == [4]
    assert marked("dress") == []
