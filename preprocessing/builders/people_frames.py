"""Builds a detection data set of people in composed scenes, in YOLO's layout.

`python -m preprocessing.builders.people_frames --parsed DIR --photos CSV --out DIR`

One class, person: a box is around what is visible of somebody. Frames for validation show other
people than those for training. Writes images/, labels/ and data.yaml, and for each split a contact
sheet with the boxes and a manifest.
"""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.builders.composing_pool import Chunk, chunks_of, composing_pool
from preprocessing.datasets.yolo_layout import SPLITS, write_boxes, write_layout
from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Check, Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import Mark, class_colour, contact_sheet, marked_tile
from preprocessing.images.pictures import write_image
from preprocessing.synthesis.people.frames import BoxedFrame, FrameComposer
from preprocessing.synthesis.people.materials import MaterialFolders, read_materials
from preprocessing.synthesis.people.scenes import Materials

NAMES = ("person",)
VALIDATION_PART = 20  # training frames for each validation frame
CHUNK = 25  # frames of a chunk
SHEET, SHEET_SIDE = 48, 240  # frames on the contact sheet, and their side in pixels
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]
SOURCES = "people, garments and grounds"


@dataclass(frozen=True, kw_only=True)
class PeopleFrameSettings:
    """The flags of the command."""

    parsed: Annotated[
        Path,
        Flag("photos of people with masks: photos/, masks/, labels.csv; split by blocks of their "
             "names", metavar="DIR", group=SOURCES),
    ]  # fmt: skip
    photos: Annotated[
        Path,
        Flag("photos of single garments: path,label[,group]", metavar="CSV", group=SOURCES),
    ]
    group_column: Annotated[
        str, Flag("column of --photos with the product or sender", metavar="NAME", group=SOURCES)
    ] = "group"
    pseudo: Annotated[
        tuple[Path, ...],
        Flag("photos with pseudo-labels, of training.parsing.pseudo_labels", metavar="DIR",
             group=SOURCES, nargs="+", default="none"),
    ] = ()  # fmt: skip
    frames: Annotated[
        tuple[Path, ...],
        Flag("the same of frames of videos, shown as they are", metavar="DIR", group=SOURCES,
             nargs="+", default="none"),
    ] = ()  # fmt: skip
    backgrounds: Annotated[
        Path | None,
        Flag("pictures without people and garments", metavar="DIR", group=SOURCES,
             default="drawn ones"),
    ] = None  # fmt: skip
    out: Annotated[Path, Flag("folder to write to", metavar="DIR")]
    count: Annotated[int, Flag("frames for training", POSITIVE, "N")] = 8000
    size: Annotated[
        int, Flag("longer side in pixels", Check("64 to 2048", lambda n: 64 <= n <= 2048), "N")
    ] = 416
    seed: Annotated[int, Flag("seed; the same seed gives the same bytes", metavar="N")] = 0

    @property
    def folders(self) -> MaterialFolders:
        """The data sets to read."""
        names = [field.name for field in fields(MaterialFolders)]
        return MaterialFolders(**{name: getattr(self, name) for name in names})


def write_chunk(chunk: Chunk, *, size: int) -> list[BoxedFrame]:
    """Write the images and label files of a chunk, and return its frames.

    Args:
        size: longer side of the images in pixels.

    Raises:
        DataError: a picture cannot be read.
    """
    composer, found = FrameComposer(chunk.materials, chunk.generator(), side=size), []
    for number in chunk.numbers:
        frame = composer.frame()
        path = chunk.folder / "images" / SPLITS[chunk.split] / f"{number:06d}.jpg"
        path.write_bytes(cv2.imencode(".jpg", frame.image, QUALITY)[1].tobytes())
        height, width = frame.image.shape[:2]
        write_boxes(path, [0] * len(frame.boxes), frame.boxes, width=width, height=height)
        found.append(frame)
    return found


def write_split(
    settings: PeopleFrameSettings, split: str, count: int, materials: Materials
) -> Counter[int]:
    """Write a split's frames, contact sheet and manifest; the number of frames by their people."""
    folder, name = settings.out, SPLITS[split]
    (folder / "images" / name).mkdir(parents=True, exist_ok=True)
    chunks = chunks_of(folder, split, count, seed=settings.seed, largest=CHUNK)
    write = partial(write_chunk, size=settings.size)
    counts: Counter[int] = Counter()
    tiles: list[np.ndarray] = []
    with composing_pool({split: materials}) as pool:
        for frames in tqdm(pool.map(write, chunks), name, len(chunks), disable=None):
            counts.update(len(frame.boxes) for frame in frames)
            tiles += [_tile(frame) for frame in frames[: SHEET - len(tiles)]]
    write_image(folder / f"sheet-{name}.png", contact_sheet(tiles, columns=8))
    manifest = {
        "count": count,
        "frames by people": dict(sorted(counts.items())),
        "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
        "flags": {key: _plain(value) for key, value in asdict(settings).items()},
    }
    (folder / f"manifest-{name}.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return counts


def _plain(value: object) -> object:
    """A setting as JSON has it."""
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _tile(frame: BoxedFrame) -> np.ndarray:
    marks = [Mark(box, class_colour(0), NAMES[0]) for box in frame.boxes]
    return marked_tile(frame.image, marks, side=SHEET_SIDE)


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.people_frames",
        "Compose frames of people with their boxes, in YOLO's layout.",
        example="--parsed data/parsed --photos clothing.csv --out data/people",
    )
    add_fields(arguments, PeopleFrameSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: build(read_fields(PeopleFrameSettings, args)))


def build(settings: PeopleFrameSettings) -> int:
    """Write the splits and data.yaml.

    Raises:
        DataError: see `read_materials`.
    """
    counts = {"training": settings.count,
              "validation": max(1, settings.count // VALIDATION_PART)}  # fmt: skip
    for split, materials in read_materials(settings.folders, seed=settings.seed).items():
        made = write_split(settings, split, counts[split], materials)
        boxes = sum(people * frames for people, frames in made.items())
        print(f"{split}: {counts[split]} frames, {made[0]} of them empty, {boxes} people")
    print(f"wrote {write_layout(settings.out / 'data.yaml', NAMES).path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
