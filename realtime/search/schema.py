"""The index: its folder, the columns of its rows, and its version.

    index.json                                     version of the columns, see VERSION
    live/RUN/part-000012.parquet                   rows of a run that goes on, newest version counts
    rows/day=2026-05-03/camera=door/RUN-3.parquet  rows that change no more

A row is one stay: a garment from when it came into view until it left.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from preprocessing.errors import DataError, SinkError, UsageError
from preprocessing.files import write_whole

if TYPE_CHECKING:
    import pyarrow

VERSION = 1
UNDATED = "undated"  # the day of footage whose date is not known
LIVE, ROWS, MANIFEST = "live", "rows", "index.json"
CELL = 10  # side of a cell of CIELAB, in which colours are looked up
LIGHT_CELLS, HUE_CELLS = 11, 26  # along L from 0 to 100, and along a and b from -130 to 130
NO_CELL = -1
MISSING = "the search needs {}: pip install -r realtime/requirements.txt"


@dataclass(kw_only=True)
class Stay:
    """A garment from when it came into view until it left.

    Attributes:
        stay: number of its own in all indexes; version: rises each time that it is written.
        open: True if it is still in view, so that a later version follows.
        run: a number of the run that saw it, within which persons and tracks are numbered.
        first, last: seconds of the source; first_wall, last_wall: the clock then in
            UTC, without a zone; None if it is not known.
        frames: in which it was seen.
        name, probability: the label; leaf: the most probable class, under the names of path.
        part_p, group_p, leaf_p: probabilities along the path: part of the body, group, class.
        colour: by name; lightness, green_red, blue_yellow: in CIELAB; cell: see `cell_of`.
        frame, time: of the best crop; box, person_box: xyxy there, pixels of (width, height).
        crop: JPEG; embedding: float16 as bytes, of EmbeddingSpace; crowding: see there. None in
            a version that changes neither.
    """

    stay: int
    version: int = 0
    open: bool = True
    run: str
    camera: str
    source: str
    place: str
    first: float
    last: float
    first_wall: datetime | None = None
    last_wall: datetime | None = None
    frames: int = 0
    person: int | None = None
    track: int = 0
    name: str = ""
    probability: float = 0.0
    leaf: str = ""
    part_p: float = 0.0
    group_p: float = 0.0
    leaf_p: float = 0.0
    path: list[dict[str, object]] = field(default_factory=list)
    colour: str = ""
    lightness: float | None = None
    green_red: float | None = None
    blue_yellow: float | None = None
    cell: int = NO_CELL
    frame: int = 0
    time: float = 0.0
    box: list[float] = field(default_factory=list)
    person_box: list[float] = field(default_factory=list)
    width: int = 0
    height: int = 0
    attributes: list[tuple[str, str]] = field(default_factory=list)
    crop: bytes | None = None
    embedding: bytes | None = None
    crowding: float | None = None

    @property
    def day(self) -> str:
        """The day on which it came into view, in UTC, or UNDATED."""
        return self.first_wall.strftime("%Y-%m-%d") if self.first_wall else UNDATED


COLUMNS = tuple(one.name for one in fields(Stay))
HEAVY = ("crop", "embedding", "crowding")  # columns that a version may leave out


def schema() -> "pyarrow.Schema":
    """The columns of the rows, in the order of COLUMNS.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise UsageError(MISSING.format("pyarrow")) from error
    clock = pa.timestamp("ms")
    special: Mapping[str, pa.DataType] = {
        "stay": pa.uint64(), "version": pa.int32(), "open": pa.bool_(), "first": pa.float64(),
        "last": pa.float64(), "first_wall": clock, "last_wall": clock, "frames": pa.int32(),
        "person": pa.int32(), "track": pa.int32(), "cell": pa.int16(), "frame": pa.int64(),
        "time": pa.float64(), "width": pa.int32(), "height": pa.int32(),
        "path": pa.list_(pa.struct([("name", pa.string()), ("probability", pa.float32())])),
        "box": pa.list_(pa.float32()), "person_box": pa.list_(pa.float32()),
        "attributes": pa.map_(pa.string(), pa.string()),
        "crop": pa.binary(), "embedding": pa.binary(),
        **dict.fromkeys(("run", "camera", "source", "place", "name", "leaf", "colour"),
                        pa.string()),
    }  # fmt: skip
    return pa.schema([(name, special.get(name, pa.float32())) for name in COLUMNS])


def cell_of(lab: np.ndarray) -> np.ndarray:
    """The numbers int16 (N,) of the cells of CIELAB in which colours (N, 3) lie."""
    light = np.clip(lab[:, 0] // CELL, 0, LIGHT_CELLS - 1)
    hue = np.clip((lab[:, 1:] + CELL * HUE_CELLS / 2) // CELL, 0, HUE_CELLS - 1)
    return ((light * HUE_CELLS + hue[:, 0]) * HUE_CELLS + hue[:, 1]).astype(np.int16)


def cell_centres() -> np.ndarray:
    """The middle of every cell in CIELAB, float32 (cells, 3), by the numbers of `cell_of`."""
    sides = (LIGHT_CELLS, HUE_CELLS, HUE_CELLS)
    found = np.stack(np.unravel_index(np.arange(np.prod(sides)), sides), axis=1)
    return ((found + 0.5) * CELL - np.array((0, 1, 1)) * CELL * HUE_CELLS / 2).astype(np.float32)


def partition(index: Path, *, day: str, camera: str) -> Path:
    """The folder of a day's and a camera's rows."""
    return index / ROWS / f"day={day}" / f"camera={quote(camera, safe=' ')}"


def begin(index: Path) -> None:
    """Make the folder of an index, or check the one that is there.

    Raises:
        SinkError: it cannot be written, or is no index.
        DataError: it has other columns.
    """
    manifest = index / MANIFEST
    try:
        index.mkdir(parents=True, exist_ok=True)
        if not manifest.exists():
            if any(entry for entry in index.iterdir() if entry.name not in (LIVE, ROWS)
                   and not entry.name.startswith(".")):  # fmt: skip
                raise SinkError(f"{index} holds files that are no index: give --index another DIR")
            write_whole(manifest, json.dumps({"version": VERSION, "columns": COLUMNS}).encode())
    except OSError as error:
        raise SinkError(f"cannot write the index {index} ({error.strerror}): give another "
                        "--index DIR") from error  # fmt: skip
    check(index)


def check(index: Path) -> None:
    """Check that a folder is an index that this version reads.

    Raises:
        DataError: it is none.
    """
    try:
        version = json.loads((index / MANIFEST).read_text())["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{index} is no index ({error}): make one with `run_realtime.py SOURCE "
                        f"--index {index}`") from error  # fmt: skip
    if version != VERSION:
        raise DataError(f"the index {index} has version {version}, wanted {VERSION}: index the "
                        "footage anew into another folder")  # fmt: skip
