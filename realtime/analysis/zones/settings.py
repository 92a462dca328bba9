"""The settings of zones, lines and rules."""

from collections import Counter
from dataclasses import dataclass

from preprocessing.errors import UsageError
from realtime.analysis.zones.areas import LINE, ZONE, Area
from realtime.analysis.zones.rules import Rule

FEET, MIDDLE = ANCHORS = ("feet", "middle")


@dataclass(frozen=True, kw_only=True)
class ZoneSettings:
    """Areas of the picture, and what is watched in them.

    Attributes:
        areas: zones, lines and ignored areas.
        anchor: the point of a person's box that is in a zone or not: FEET, the middle of its lower
            side, or MIDDLE. Of garments that nobody wears it is the middle.

    Raises:
        UsageError: two areas have one name, or a rule names a zone that there is not.
    """

    areas: tuple[Area, ...] = ()
    anchor: str = FEET
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        names = Counter(area.name for area in self.areas if area.kind in (ZONE, LINE))
        if twice := [name for name, count in names.items() if count > 1]:
            raise UsageError(f"two zones or lines are named {twice[0]}: give each its own name")
        zones = {area.name for area in self.areas if area.kind == ZONE}
        for rule in self.rules:
            if rule.zone not in zones:
                raise UsageError(
                    f'--rule "{rule.text}" names the zone {rule.zone}: add --zone {rule.zone}=...'
                )

    def __bool__(self) -> bool:
        """True if there is anything to watch."""
        return bool(self.areas)
