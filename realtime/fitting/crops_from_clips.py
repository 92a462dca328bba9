"""Training crops from labelled clips: `python -m realtime.fitting.crops_from_clips`.

The parser finds garments, and a region gets the clip's label for its body part if that label is
unique. Clips of one outfit are one group, so that no split divides it. With --frames whole frames
are written with the garments' boxes, to train parsers on.
"""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from preprocessing.builders.layer_boxes import draw_sheet
from preprocessing.builders.photo_dataset import MAPPING
from preprocessing.datasets.samples_and_splits import INDEX, Sample, read_csv, write_csv
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.images.contact_sheets import picture_sheet
from preprocessing.images.pictures import write_image
from preprocessing.images.regions import square_crop
from preprocessing.labels import BODY_PART, CLASS_OF, LAYERS, PHOTO_LAYER
from realtime.analysis.locators import LocatorOptions
from realtime.analysis.network_locators import ParserLocator, load_parser
from realtime.bench.footage import Footage, read_clips
from realtime.sources.open_source import open_source
from realtime.types import Frame, Region

EVERY = 6  # one frame in so many is used
MIN_SIDE = 60  # pixels of a garment's longer side
SHEET, COLUMNS, SHEET_SIDE = 96, 12, 96
COPIES = 6  # of each crop when mixed with a data set, in which so few would have no weight
KEPT_FRACTION = 6  # one in so many of its training pictures is kept: enough to forget nothing


@dataclass(frozen=True)
class Outfit:
    """One outfit and the file names of its clips."""

    name: str
    files: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Outfit":
        """An outfit from "NAME=FILE,FILE"."""
        name, _, files = text.partition("=")
        return cls(name, tuple(files.split(",")))


@dataclass(frozen=True, eq=False)
class AnnotatedFrame:
    """A frame with its labelled garments."""

    frame: Frame
    garments: list[tuple[str, Region]]


def labelled_frames(clip: Footage, locator: ParserLocator) -> Iterator[AnnotatedFrame]:
    """Every n-th frame of a clip in which a garment has a label."""
    with open_source(str(clip.path)) as source:
        for frame in source:
            if frame.index % EVERY:
                continue
            regions = [one for one in locator(frame.image) if max(one.mask.shape) >= MIN_SIDE]
            labels = [label_of(_layer(region, locator), clip.classes) for region in regions]
            garments = [pair for pair in zip(labels, regions, strict=True) if pair[0]]
            if garments:
                yield AnnotatedFrame(frame, garments)


def _layer(region: Region, locator: ParserLocator) -> str:
    """The layer with the highest score."""
    assert region.scores is not None  # the parser gives every region scores
    return locator.info.classes[int(region.scores.argmax())]


def label_of(layer: str, classes: Sequence[str]) -> str:
    """The one class of a clip on a layer's body part; empty if there is none, or several."""
    part = BODY_PART.get(CLASS_OF.get(layer, layer), layer)
    found = [name for name in classes if BODY_PART.get(name, name) == part]
    return found[0] if len(found) == 1 else ""


def write_crops(
    clip: Footage, locator: ParserLocator, folder: Path, *, group: str
) -> Iterator[Sample]:
    """Write the garments of a clip as square pictures; each as a sample with its label."""
    for labelled in labelled_frames(clip, locator):
        for label, region in labelled.garments:
            path = folder / f"{clip.path.stem}-{labelled.frame.index:05d}-{label}.jpg"
            write_image(path, square_crop(labelled.frame.image, region))
            yield Sample(path, label, group=group)


def write_frames(clip: Footage, locator: ParserLocator, folder: Path) -> Iterator[Sample]:
    """Write frames of a clip into images/, and the boxes of their garments into labels/.

    Boxes have the labels' layers, whatever layer the parser predicted.
    """
    for labelled in labelled_frames(clip, locator):
        image = labelled.frame.image
        path = folder / "images" / "train" / f"{clip.path.stem}-{labelled.frame.index:05d}.jpg"
        write_image(path, image)
        height, width = image.shape[:2]
        layers = [LAYERS.index(PHOTO_LAYER.get(label, label)) for label, _ in labelled.garments]
        boxes = np.array([region.box for _, region in labelled.garments])
        write_boxes(path, layers, boxes, width=width, height=height)
        yield from (Sample(path, label) for label, _ in labelled.garments)


def mixed_with(samples: Sequence[Sample], folder: Path) -> list[Sample]:
    """The samples, repeated for training, mixed with part of a data set's training split.

    Its other splits are kept whole.

    Raises:
        DataError: the folder has no data set of preprocessing.builders.photo_dataset.
    """
    if not (folder / INDEX).is_file():
        raise DataError(f"no {INDEX} in {folder}: see preprocessing.builders.photo_dataset")
    added = [replace(sample, path=sample.path.resolve(), split="training") for sample in samples]
    known = read_csv(folder / INDEX)
    training = [sample for sample in known if sample.split == "training"]
    others = [sample for sample in known if sample.split != "training"]
    return [*others, *training[::KEPT_FRACTION], *added * COPIES]


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.fitting.crops_from_clips",
        description="Write the garments of labelled clips as a data set of crops, or of frames "
        "with boxes.",
    )
    add = arguments.add_argument
    add("--clips", type=Path, required=True, metavar="CSV",
        help="clips with their labels: columns file and labels, as for realtime.bench.score"
        )  # fmt: skip
    add("--outfit", action="append", required=True, metavar="NAME=FILE,FILE",
        help="clips of one outfit; repeatable, clips of no outfit are not used")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--mix-with", type=Path, metavar="DIR",
        help="data set of preprocessing.builders.photo_dataset, a sixth of which is listed in "
        "index.csv as well, to fine-tune with training.fit --init")  # fmt: skip
    add("--beside", dest="mix_with", type=Path, help=argparse.SUPPRESS)  # its earlier name
    add("--frames", action="store_true",
        help="write frames with boxes for training.fit --boxed, not crops")  # fmt: skip
    args = arguments.parse_args(argv)
    return exit_status(
        lambda: _run(
            args.clips,
            [Outfit.parse(text) for text in args.outfit],
            args.out,
            mix_with=args.mix_with,
            frames=args.frames,
        )
    )


def _run(
    index: Path, outfits: Sequence[Outfit], out: Path, *, mix_with: Path | None, frames: bool
) -> int:
    if frames and mix_with:
        raise UsageError("--mix-with lists crops, not frames: leave out --mix-with or --frames")
    locator = ParserLocator(load_parser("parser", LocatorOptions().loader()))
    out.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    for group, clip in _clips_of(outfits, index):
        samples += (
            write_frames(clip, locator, out)
            if frames
            else write_crops(clip, locator, out, group=group)
        )
    if not samples:
        raise DataError(f"no labelled garment was found in the clips of {index}")
    written = _list_frames(out) if frames else _list_crops(samples, out, mix_with)
    counts = sorted(Counter(sample.label for sample in samples).items())
    print(f"{', '.join(f'{name} {count}' for name, count in counts)}; {written}")
    return 0


def _clips_of(outfits: Sequence[Outfit], index: Path) -> list[tuple[str, Footage]]:
    """The clips of all outfits, each with the outfit's name.

    Raises:
        DataError: the index cannot be read.
        UsageError: it does not list a clip.
    """
    clips = {clip.path.name: clip for clip in read_clips(index)}
    for outfit in outfits:
        for name in outfit.files:
            if name not in clips:
                raise UsageError(f"--outfit {outfit.name}: {index} lists no {name!r}")
    return [(outfit.name, clips[name]) for outfit in outfits for name in outfit.files]


def _list_frames(folder: Path) -> str:
    """Write data.yaml and a contact sheet; their names, to print."""
    write_layout(folder / "data.yaml", LAYERS)
    draw_sheet(folder, "train")
    return f"{folder}/data.yaml, sheet-train.png"


def _list_crops(samples: Sequence[Sample], folder: Path, mix_with: Path | None) -> str:
    """Write index.csv and a contact sheet; their names, to print."""
    if mix_with:
        write_csv(folder / INDEX, mixed_with(samples, mix_with))
        shutil.copy(mix_with / MAPPING, folder)
    else:
        write_csv(folder / INDEX, samples)
    paths = [sample.path for sample in samples]
    sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
    write_image(folder / "sheet.png", sheet)
    return f"{folder}/{INDEX}, sheet.png"


if __name__ == "__main__":
    sys.exit(main())
