"""The counts in the report."""

from realtime.sinks.events.area_report import area_tables
from realtime.types import AreaCount

ZONE = AreaCount(
    "a<b", "zone", (), entered=3, left=2, inside=1, stays=2, stayed=9.0, longest=65.0,
    garments={("in", "coat", "red"): 2, ("out", "coat", "red"): 1},
)  # fmt: skip


def test_a_row_a_zone_and_a_garment():
    text = area_tables([ZONE, AreaCount("mask", "ignored", ())])
    cells = [part.split("</td>")[0].split(">")[-1] for part in text.split("<td")[1:]]
    assert cells[:7] == ["a&lt;b", "3", "2", "1", "0:04.5", "1:05", "0"]
    assert cells[7:] == ["a&lt;b", "red coat", "2", "1"]
    assert area_tables([]) == ""
