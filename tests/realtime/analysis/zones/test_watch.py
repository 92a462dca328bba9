"""Counts and events of people who walk through a picture of 100 x 100 pixels, at 10 fps."""

from dataclasses import replace

import make
import pytest

from realtime.analysis.zones.areas import read_ignored, read_line, read_zone
from realtime.analysis.zones.rules import read_rule
from realtime.analysis.zones.settings import MIDDLE, ZoneSettings
from realtime.analysis.zones.watch import Watch
from realtime.types import FOUND, LabelledFrame

AREAS = (read_zone("floor=0.4,0,0.8,1"), read_line("door=0.5,1,0.5,0"))


def watch(settings=None) -> Watch:
    made = Watch(settings or ZoneSettings(areas=AREAS))
    made.open(make.info(width=100, height=100))
    return made


def at(index: int, *people: tuple[int, int]) -> LabelledFrame:
    """A frame with people, each a number and the x of their middle; their shirts are 10 x 40."""
    garments = [
        make.garment("t-shirt", track=number, person=number, colour="red",
                     box=(x - 5, 50, x + 5, 90))
        for number, x in people
    ]  # fmt: skip
    return make.labelled(index, *garments)


def walked(made: Watch, way: list[int], *, number: int = 1, start: int = 0):
    """The last frame and all events of a way, an x a frame."""
    events, frame = [], None
    for index, x in enumerate(way, start=start):
        frame = made(at(index, (number, x)))
        events += frame.events
    return frame, events


def kinds(events):
    return [(event.kind, event.place, event.direction) for event in events]


def test_a_way_through_a_zone_and_over_a_line():
    made = watch()
    frame, events = walked(made, [20, 25, 30, 36, 44, 48, 54, 60, 70, 85, 90, 95])
    assert kinds(events) == [
        ("first seen", "", ""), ("entered", "floor", ""), ("crossed", "door", "in"),
        ("left", "floor", ""),
    ]  # fmt: skip
    floor, door = frame.areas
    assert (floor.entered, floor.left, floor.inside, floor.stays) == (1, 1, 0, 1)
    assert (door.entered, door.left) == (1, 0)
    assert door.garments == {("in", "t-shirt", "red"): 1}
    assert events[-1].seconds == pytest.approx(0.5) == floor.longest
    assert events[1].person == 1 and events[1].garments[0].colour == "red"
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))


def test_jitter_about_a_border_is_no_crossing():
    _, events = walked(watch(), [30] * 4 + [39, 41, 39, 41, 39, 41] * 5)
    assert kinds(events) == [("first seen", "", "")]


def test_who_stands_in_a_zone_is_there_until_seen_no_more():
    made = watch()
    frame, events = walked(made, [60] * 10)
    assert kinds(events) == [("first seen", "", ""), ("entered", "floor", "")]
    assert frame.areas[0].inside == 1 and frame.garments[0].zones == ("floor",)
    assert frame.areas[0].longest == pytest.approx(0.9)
    frame = made(at(31))
    assert kinds(frame.events) == [("left", "floor", "")]
    assert frame.events[0].seconds == pytest.approx(0.9) and frame.areas[0].inside == 0


def test_a_ghost_of_two_frames_is_nobody():
    made = watch()
    walked(made, [60, 60])
    assert not made(at(40)).events


def test_a_rule_is_broken_once_a_stay():
    rules = (read_rule("zone floor without hat for 0.5"), read_rule("zone floor more than 1"))
    made = watch(ZoneSettings(areas=AREAS, rules=rules))
    _, events = walked(made, [60] * 30)
    assert kinds(events)[2:] == [("rule broken", "floor", "")]
    more = [made(at(index, (1, 60), (2, 70))) for index in range(30, 50)]
    events = [event for frame in more for event in frame.events]
    assert [event.detail for event in events if event.kind == "rule broken"] == [
        "zone floor without hat for 0.5", "zone floor more than 1",
    ]  # fmt: skip
    assert more[-1].areas[0].broken == 3


def test_ignored_people_are_nowhere():
    settings = ZoneSettings(areas=(*AREAS, read_ignored("0.5,0,1,1")), anchor=MIDDLE)
    frame, events = walked(watch(settings), [60] * 10)
    assert not events and not frame.garments and frame.areas[-1].kind == "ignored"


def test_matches_and_a_lost_source_are_events():
    made, events = watch(), []
    for index in range(8):
        frame = at(index, (1, 10))
        if index in (5, 6):
            marked = [replace(one, attributes={FOUND: "red coat"}) for one in frame.garments]
            frame = replace(frame, garments=marked)
        events += made(frame).events
    assert [(event.kind, event.frame, event.detail) for event in events[1:]] == [
        ("match", 5, "red coat")
    ]
    lost = made.source_changed(lost=True, seconds=None, reason="no picture")
    back = made.source_changed(lost=False, seconds=3.0, reason="")
    assert (lost.kind, lost.frame, lost.time) == ("source lost", 7, 0.7) and lost.id < back.id
    assert (back.kind, back.seconds) == ("source back", 3.0)
