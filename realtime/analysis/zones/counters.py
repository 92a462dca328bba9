"""The counts of one zone or line."""

from collections import Counter
from dataclasses import dataclass, field

from realtime.analysis.zones.areas import Area
from realtime.types import AreaCount, Worn

IN, OUT = "in", "out"


@dataclass(eq=False)
class AreaCounter:
    """Counts people who go in and out, with their garments, and their stays."""

    area: Area
    _went: Counter[str] = field(default_factory=Counter)
    _garments: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _stays: int = 0
    _stayed: float = 0.0
    _longest: float = 0.0
    _broken: int = 0

    def went(self, direction: str, garments: tuple[Worn, ...], *, person: bool) -> None:
        """Count a person, or a garment alone, that went IN or OUT."""
        self._went[direction] += person
        self._garments.update((direction, worn.label, worn.colour) for worn in garments)

    def stayed(self, seconds: float) -> None:
        """Count a person's stay that has ended."""
        self._stays += 1
        self._stayed += seconds
        self._longest = max(self._longest, seconds)

    def broke(self) -> None:
        """Count a rule that is broken here."""
        self._broken += 1

    def count(self, stays: list[float]) -> AreaCount:
        """Return the counts so far.

        Args:
            stays: seconds so far of the people who are inside.
        """
        return AreaCount(
            name=self.area.name,
            kind=self.area.kind,
            points=self.area.points,
            entered=self._went[IN],
            left=self._went[OUT],
            inside=len(stays),
            stays=self._stays,
            stayed=self._stayed,
            longest=max([self._longest, *stays]),
            garments=dict(self._garments),
            broken=self._broken,
        )
