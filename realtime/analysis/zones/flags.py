"""The flags of zones, lines and rules, and their settings."""

import argparse
from collections.abc import Callable

from realtime.analysis.zones.areas import SHAPE, Area, read_ignored, read_line, read_zone
from realtime.analysis.zones.rules import FORM, Rule, read_rule
from realtime.analysis.zones.settings import ANCHORS, FEET, ZoneSettings

GROUP = "zones and events"


def add_zone_flags(group: argparse._ArgumentGroup) -> None:
    """Add the flags of zones."""
    add = group.add_argument
    add("--zone", action="append", type=_reader(read_zone), default=[], metavar="NAME=x,y,...",
        help="area to count in, by its corners in pixels or in shares of the picture from 0 to 1 "
        "(two points: a rectangle); may be repeated, as those below")  # fmt: skip
    add("--line", action="append", type=_reader(read_line), default=[],
        metavar="NAME=x1,y1,x2,y2",
        help="line to count at; in is to the right, looking from its first point to the second, "
        "so that one from bottom to top counts from left to right")  # fmt: skip
    add("--ignore", action="append", type=_reader(read_ignored), default=[], metavar="x,y,...",
        help="area whose people and garments are left out of everything")  # fmt: skip
    add("--anchor", choices=ANCHORS, default=FEET,
        help=f"point of a person that counts (default {FEET})")  # fmt: skip
    add("--rule", action="append", type=_reader(read_rule), default=[], metavar='"zone ..."',
        help=f"what is not to be: {FORM}")  # fmt: skip


def zone_settings(values: argparse.Namespace) -> ZoneSettings:
    """Return the settings of the flags.

    Raises:
        UsageError: they do not go together.
    """
    areas = _named(values.zone) + _named(values.line) + values.ignore
    return ZoneSettings(areas=tuple(areas), anchor=values.anchor, rules=tuple(values.rule))


def _named(areas: list[Area]) -> list[Area]:
    """The last one of each name, so that flags win over a file."""
    return list({area.name: area for area in areas}.values())


def _reader(read: Callable[[str], Area | Rule]) -> Callable[[str], Area | Rule]:
    def reader(text: str) -> Area | Rule:
        try:
            return read(text)
        except ValueError as error:
            words = str(error) if str(error).startswith("wanted") else f"wanted {SHAPE}"
            raise argparse.ArgumentTypeError(f"{words}, got {text!r}") from error

    return reader
