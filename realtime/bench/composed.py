"""Material of composed scenes: people cut out of photos, and pictures of empty rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from preprocessing.flags import NOT_NEGATIVE, POSITIVE, Flag
from preprocessing.synthesis.crowds import PersonCutout, read_cutouts
from realtime.bench.footage import read_grounds


@dataclass(frozen=True, eq=False)
class Material:
    """People, and pictures of rooms, BGR uint8 (H, W, 3) each."""

    cutouts: Sequence[PersonCutout]
    rooms: Sequence[np.ndarray]

    def __str__(self) -> str:
        return f"{len(self.cutouts)} people, {len(self.rooms)} rooms"


@dataclass(frozen=True, kw_only=True)
class ComposedSettings:
    """Where the material is, which seeds to use, and where figures and contact sheets go."""

    data: Annotated[Path, Flag("people with masks: photos/, masks/, labels.csv", metavar="DIR")]
    first: Annotated[
        int | None,
        Flag(
            "position of the first photo to use, in the order of the names",
            POSITIVE,
            name="--from",
            metavar="N",
            default="those of the test split",
        ),
    ] = None
    rooms: Annotated[
        Path | None,
        Flag(
            "pictures and videos of empty rooms for two thirds of the grounds: a folder, or a CSV "
            "with the columns file and labels, of which rows without labels are used",
            metavar="DIR|CSV",
            default="grounds of two colours alone",
        ),
    ] = None
    seed: Annotated[int, Flag("first seed", NOT_NEGATIVE, metavar="N")] = 0
    json: Annotated[Path | None, Flag("write the figures to FILE as well", metavar="FILE")] = None
    sheet: Annotated[
        Path | None,
        Flag(
            "write contact sheets of the worst results into DIR: what is there in green, "
            "garments that were found in yellow, people that were found in violet",
            metavar="DIR",
        ),
    ] = None

    def material(self) -> Material:
        """Read people and rooms.

        Raises:
            DataError: a data set is missing or damaged.
        """
        rooms = read_grounds(self.rooms) if self.rooms else []
        return Material(read_cutouts(self.data, first=self.first), rooms)
