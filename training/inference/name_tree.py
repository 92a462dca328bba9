"""Names from class probabilities: the tree of names over a list of classes, and its calibration.

The probability of a general name is the sum of its classes'. The table of the tree is
`preprocessing.labels.GENERAL_NAME`; classes that it does not know hang directly under its root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from preprocessing.labels import GARMENT, OTHER, general_names
from training.inference.fitted import FittedFile

ALWAYS = 1e-6  # distance of probabilities from 0 and 1 in log-odds
ROOTS = -1  # the parent of names that have none

Path = tuple[tuple[str, float], ...]  # names, each with its probability


LEVELS = ("garment", "part", "group", "kind")  # the root, parts of the body, "top", classes
IDENTITY = (1.0, 0.0)


@dataclass(frozen=True)
class NameCalibration:
    """Calibration of the probabilities of names: scale and shift of log-odds by level of LEVELS.

    A level that is absent keeps its probabilities; so do all by default.

    Attributes:
        lying, worn: of garments that nobody wears, and of worn ones.
    """

    lying: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    worn: Mapping[str, tuple[float, float]] = field(default_factory=dict)


NAMES = FittedFile(
    "names",
    NameCalibration(),
    "python -m realtime.fitting.name_calibration --model {0} --locate {1}",
)


@dataclass(frozen=True)
class NameTree:
    """The names over a list of classes; names are known by their indices.

    Args:
        classes: in the order of the columns of probabilities.

    Attributes:
        calibration: of the names' probabilities.
        names: more general ones before those under them; OTHER is a root of its own beside GARMENT.
        parents: index of the next more general name, ROOTS for none.
    """

    classes: tuple[str, ...]
    calibration: NameCalibration = NAMES.neutral

    @cached_property
    def names(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for name in self.classes:
            found.update(dict.fromkeys((*_above(name), name)))
        return tuple(found)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        return tuple(
            self.names.index(above[-1]) if (above := _above(name)) else ROOTS for name in self.names
        )

    @cached_property
    def members(self) -> np.ndarray:
        """True for the classes under each name, itself included: bool (names, classes)."""
        return np.array([
            [name in (*_above(member), member) for member in self.classes] for name in self.names
        ])  # fmt: skip

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The level of each name, one of LEVELS."""
        return tuple(
            "kind" if index not in self.parents else LEVELS[min(2, len(_above(name)))]
            for index, name in enumerate(self.names)
        )

    @cached_property
    def refining(self) -> np.ndarray:
        """True for classes under a name that says something by itself: T-shirt, not shoes."""
        return np.array([
            level == "kind" and above != ROOTS and self._says_something(above)
            for level, above in zip(self.levels, self.parents, strict=True)
        ])  # fmt: skip

    @cached_property
    def _scales_and_shifts(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each name, (2, names): for lying and for worn garments."""
        lying, worn = (
            np.array([numbers.get(level, IDENTITY) for level in self.levels]).T
            for numbers in (self.calibration.lying, self.calibration.worn)
        )
        return lying, worn

    def children(self, parent: int) -> list[int]:
        """The names directly under a name; those without any above for ROOTS."""
        return [index for index, above in enumerate(self.parents) if above == parent]

    def way_to(self, index: int) -> list[int]:
        """The names from the root down to a name, itself included."""
        way = [index]
        while (above := self.parents[way[0]]) != ROOTS:
            way.insert(0, above)
        return way

    def sums(self, probabilities: np.ndarray) -> np.ndarray:
        """The probabilities of the names (names,) from those of the classes (classes,)."""
        return self.members @ probabilities

    def calibrated(self, sums: np.ndarray, *, worn: bool) -> np.ndarray:
        """Calibrated probabilities of the names (names,); none exceeds a more general one's.

        Args:
            sums: (names,), as `sums` returns them.
            worn: someone wears the garment.
        """
        clipped = np.clip(sums, ALWAYS, 1 - ALWAYS)
        scales, shifts = self._scales_and_shifts[worn]
        found = 1 / (1 + np.exp(-scales * np.log(clipped / (1 - clipped)) - shifts))
        for index, above in enumerate(self.parents):
            if above != ROOTS:
                found[index] = min(found[index], found[above])
        return found

    def descend(
        self, sums: np.ndarray, *, kept: Sequence[int] = (), convincing: float = 1.0
    ) -> list[int]:
        """The way from the root to a class, at each fork to the more probable name.

        Args:
            sums: (names,), as `sums` returns them.
            kept: names that another one beside them replaces only if it is `convincing` times as
                probable.
        """
        way: list[int] = []
        while beside := self.children(way[-1] if way else ROOTS):
            best = max(beside, key=sums.__getitem__)
            held = next((index for index in beside if index in kept), best)
            way.append(best if sums[best] >= convincing * sums[held] else held)
        return way

    def deepest(
        self, way: Sequence[int], calibrated: np.ndarray, thresholds: np.ndarray
    ) -> int | None:
        """The most precise name on a way whose probability reaches its threshold; None for none.

        GARMENT says nothing, unless it is a class itself, and OTHER is no garment.

        Args:
            calibrated, thresholds: (names,).
        """
        sure = [
            index for index in way
            if calibrated[index] >= thresholds[index] and self._says_something(index)
        ]  # fmt: skip
        return sure[-1] if sure else None

    def _says_something(self, index: int) -> bool:
        name = self.names[index]
        return name != OTHER and (name != GARMENT or name in self.classes)

    def path(self, way: Sequence[int], calibrated: np.ndarray) -> Path:
        """The names on a way, each with its probability of (names,)."""
        return tuple((self.names[index], float(calibrated[index])) for index in way)


def _above(name: str) -> tuple[str, ...]:
    return () if name == OTHER else general_names(name)


def path_and_label(
    tree: NameTree, probabilities: np.ndarray, *, threshold: float, worn: bool = False
) -> tuple[Path, str | None]:
    """The path to the best class of probabilities (classes,), and the most precise sure name.

    The name is None where not even a part of the body reaches the threshold.
    """
    sums = tree.sums(probabilities)
    way, calibrated = tree.descend(sums), tree.calibrated(sums, worn=worn)
    found = tree.deepest(way, calibrated, np.full(len(tree.names), threshold))
    return tree.path(way, calibrated), None if found is None else tree.names[found]
