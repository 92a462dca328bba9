"""Numbers that were fitted to particular weight files, as JSON files beside them.

`weights/photo+parser.fusion.json` belongs to those two networks and holds the SHA-256 of each one's
weights. A retrained network has another checksum, so that it never runs with numbers fitted to its
predecessor: it gets neutral ones, and a logged warning names the command that fits its own.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from preprocessing.errors import WeightsError
from training.inference.weights import sha256

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

logger = logging.getLogger(__name__)
T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True)
class FittedFile(Generic[T]):
    """One kind of fitted numbers.

    Attributes:
        kind: part of the file's name, e.g. "fusion".
        neutral: the numbers of weights without such a file; its class is that of all.
        command: fits the numbers and writes the file; {0}, {1} stand for the networks' names.
    """

    kind: str
    neutral: T
    command: str

    def path(self, *stems: Path) -> Path:
        """The file of networks, given as paths without suffix: beside the first one's weights."""
        names = "+".join(stem.name for stem in stems)
        return stems[0].with_name(f"{names}.{self.kind}.json")

    def read(self, *stems: Path) -> T:
        """The numbers fitted to networks; neutral ones, with a warning, if there are none.

        Raises:
            WeightsError: the file is damaged.
        """
        path = self.path(*stems)
        if not path.is_file():
            self._warn(f"no {path}", *stems)
            return self.neutral
        try:
            entries = json.loads(path.read_text())
            checksums, numbers = dict(entries["sha256"]), entries[self.kind]
            fitted = type(self.neutral)(**{name: _frozen(value) for name, value in numbers.items()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(f"{path} is damaged ({error}): `git checkout {path}`, or fit it "
                               f"with `{self._command_for(*stems)}`") from error  # fmt: skip
        if checksums != _checksums(*stems):
            self._warn(f"{path} was fitted to other weights", *stems)
            return self.neutral
        return fitted

    def write(self, fitted: T, *stems: Path, origin: str) -> Path:
        """Write the numbers fitted to networks, and how they were; the path of the file."""
        path = self.path(*stems)
        entries = {"sha256": _checksums(*stems), self.kind: asdict(fitted), "origin": origin}
        path.write_text(json.dumps(entries, indent=1) + "\n")
        return path

    def _warn(self, reason: str, *stems: Path) -> None:
        command = self._command_for(*stems)
        logger.warning("%s: using neutral defaults; fit them with `%s`", reason, command)

    def _command_for(self, *stems: Path) -> str:
        return self.command.format(*(stem.name for stem in stems))


def _checksums(*stems: Path) -> dict[str, str]:
    """Of the networks' .onnx files, by the networks' names."""
    return {stem.name: sha256(stem.with_suffix(".onnx")) for stem in stems}


def _frozen(value: object) -> object:
    """A value of JSON that consists of numbers, with tuples in place of lists.

    Raises:
        TypeError: it contains something else.
    """
    if isinstance(value, list):
        return tuple(_frozen(one) for one in value)
    if isinstance(value, dict):
        return {name: _frozen(one) for name, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value
