"""The garments of one picture or frame: arrays of them all, and what other packages take."""

import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

import cv2
import numpy as np

from preprocessing.errors import UsageError
from realtime.library import tables
from realtime.sinks.annotate import Annotator
from realtime.sinks.rows import Row, rows_of
from realtime.types import Frame, Garment, LabelledFrame

if TYPE_CHECKING:
    import pandas
    import polars
    import supervision

Selection = slice | np.ndarray | Sequence[bool]


@dataclass(frozen=True, eq=False, repr=False)
class Garments(Sequence[Garment]):
    """The garments of one frame, in the order of the rows that the app writes.

    `len(garments)`, `for garment in garments` and `garments[0]` are as of a list; `garments[1:3]`
    and `garments[garments.probabilities > 0.8]` are Garments of those alone. Nothing of it changes;
    arrays are read-only. It keeps the frame's picture, so keep `rows` of a long video instead.

    Attributes:
        items: the garments, with all that is known of each.
        frame: picture, index and time that they belong to.
        names_known: all names that a garment could have got; `class_ids` are indices of these.
        annotator: draws them.

    >>> import numpy as np
    >>> from realtime import Recogniser
    >>> garments = Recogniser(locator="none")(np.zeros((48, 64, 3), np.uint8))
    >>> len(garments), garments.boxes.shape, garments.masks.shape
    (0, (0, 4), (0, 48, 64))
    """

    items: tuple[Garment, ...]
    frame: Frame
    names_known: tuple[str, ...]
    annotator: Annotator

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Garment]:
        return iter(self.items)

    @overload
    def __getitem__(self, which: int) -> Garment: ...
    @overload
    def __getitem__(self, which: Selection) -> "Garments": ...
    def __getitem__(self, which: int | Selection) -> "Garment | Garments":
        """Return one garment of an index, or the Garments of a slice or of a mask of booleans.

        Raises:
            IndexError: there is no garment of this index.
            UsageError: a mask is none, or of another length.
        """
        if isinstance(which, slice):
            return replace(self, items=self.items[which])
        if isinstance(which, (np.ndarray, Sequence)):
            mask = np.asarray(which)
            empty = not mask.size and not self.items
            if not empty and (mask.dtype != bool or mask.shape != (len(self),)):
                raise UsageError(f"a mask of these garments must be bool ({len(self)},), "
                                 f"got {mask.dtype} {mask.shape}")  # fmt: skip
            kept = (one for one, keep in zip(self.items, mask, strict=True) if keep)
            return replace(self, items=tuple(kept))
        return self.items[operator.index(which)]

    @property
    def image(self) -> np.ndarray:
        """The picture that they are in: BGR uint8 (H, W, 3), read-only."""
        return self.frame.image

    @cached_property
    def boxes(self) -> np.ndarray:
        """Boxes float32 (N, 4): x1 y1 x2 y2 in pixels, half-open."""
        boxes = [garment.region.box for garment in self.items]
        return _fixed(np.array(boxes, np.float32).reshape(-1, 4))

    @cached_property
    def masks(self) -> np.ndarray:
        """Masks bool (N, H, W) of the whole picture: True on the garment."""
        masks = np.zeros((len(self), *self.image.shape[:2]), bool)
        for mask, garment in zip(masks, self.items, strict=True):
            x1, y1, x2, y2 = garment.region.window
            mask[y1:y2, x1:x2] = garment.region.mask > 0
        return _fixed(masks)

    @property
    def names(self) -> tuple[str, ...]:
        """The label of each: its most precise sure name, or "unknown"."""
        return tuple(garment.label.name for garment in self.items)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Calibrated probabilities float32 (N,) of the names."""
        return _fixed(np.array([garment.label.probability for garment in self.items], np.float32))

    @property
    def paths(self) -> tuple[tuple[tuple[str, float], ...], ...]:
        """For each, names from the most general one to the most probable class, and probabilities.

        As `(("garment", 0.99), ("upper body", 0.98), ("top", 0.95), ("t-shirt", 0.71))`.
        """
        return tuple(garment.label.path for garment in self.items)

    @property
    def colours(self) -> tuple[str, ...]:
        """The name of each one's most frequent colour; "" where it is not known."""
        return tuple(garment.colour for garment in self.items)

    @property
    def persons(self) -> tuple[int | None, ...]:
        """The number of who wears each; None for those that nobody wears."""
        return tuple(garment.person or None for garment in self.items)

    @cached_property
    def tracks(self) -> np.ndarray:
        """Numbers int64 (N,), which stay the same from frame to frame of a source."""
        return _fixed(np.array([garment.track for garment in self.items], np.int64))

    @property
    def attributes(self) -> tuple[Mapping[str, str], ...]:
        """Values by name of attribute, if the Recogniser has an attribute model."""
        return tuple(garment.attributes for garment in self.items)

    @cached_property
    def class_ids(self) -> np.ndarray:
        """Indices int64 (N,) of the names in `names_known`."""
        return _fixed(np.array([self.names_known.index(name) for name in self.names], np.int64))

    @property
    def crops(self) -> tuple[np.ndarray, ...]:
        """The pixels of each one's box: BGR uint8 (h, w, 3), read-only views of `image`."""
        windows = (garment.region.window for garment in self.items)
        return tuple(self.image[y1:y2, x1:x2] for x1, y1, x2, y2 in windows)

    @property
    def picture(self) -> np.ndarray:
        """A copy of the image with the garments drawn on it: BGR uint8 (H, W, 3)."""
        return self.annotator(self.image, self.items, "")

    @property
    def rows(self) -> list[Row]:
        """A row a garment, with the fields that `--jsonl` writes (realtime/README.md#rows)."""
        return list(rows_of(LabelledFrame(self.frame, self.items, self.image)))

    def to_json(self, *, lines: bool = False) -> str:
        """Return the rows as a JSON list.

        Args:
            lines: an object a line instead, each with a line end, as `--jsonl` writes them.
        """
        if lines:
            return "".join(json.dumps(row) + "\n" for row in self.rows)
        return json.dumps(self.rows)

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a pandas.DataFrame of the rows with the columns of `--csv`, typed also if empty.

        Raises:
            UsageError: pandas is not installed.
        """
        return tables.to_pandas(self.rows)

    def to_polars(self) -> "polars.DataFrame":
        """Return a polars.DataFrame of the rows with the columns of `--parquet`.

        Raises:
            UsageError: polars is not installed.
        """
        return tables.to_polars(self.rows)

    def to_supervision(self) -> "supervision.Detections":
        """Return supervision.Detections of boxes, masks, probabilities, class and track numbers.

        Its data has `class_name`, `colour`, and `person` (0 for nobody).

        Raises:
            UsageError: supervision is not installed.
        """
        return tables.package("supervision").Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.copy(),
            confidence=self.probabilities.copy(),
            class_id=self.class_ids.copy(),
            tracker_id=self.tracks.copy(),
            data={
                "class_name": np.array(self.names, np.str_),
                "colour": np.array(self.colours, np.str_),
                "person": np.array([number or 0 for number in self.persons], np.int64),
            },
        )

    def _repr_png_(self) -> bytes:
        """Return the labelled picture, which a notebook shows, as PNG."""
        return cv2.imencode(".png", self.picture)[1].tobytes()

    def __repr__(self) -> str:
        found = (f"{colour} {name}".strip() + f" {probability:.2f}" for colour, name, probability
                 in zip(self.colours, self.names, self.probabilities, strict=True))  # fmt: skip
        return f"<Garments: {', '.join(found) or 'none'}>"


def _fixed(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
