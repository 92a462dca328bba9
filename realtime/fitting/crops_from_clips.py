"""Cuts garments out of labelled clips to learn from: `python -m realtime.fitting.crops_from_clips`.

The parser finds them, the clip's label says what they are: a region takes the one label that its
layer may bear. Clips of one outfit are one group, so that it never lies on both sides of a split.
With --frames the whole frames are written with the garments' boxes, for parsers to learn from.
"""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from preprocessing.builders.layer_boxes import draw_sheet
from preprocessing.builders.photo_dataset import MAPPING
from preprocessing.command import exit_status
from preprocessing.datasets.samples import INDEX, Sample, read_csv, write_csv
from preprocessing.datasets.yolo_layout import write_boxes, write_layout
from preprocessing.errors import DataError, UsageError
from preprocessing.images.contact_sheet import picture_sheet
from preprocessing.images.network_input import square_crop
from preprocessing.images.pictures import write_image
from preprocessing.labels import BODY_PART, CLASS_OF, LAYERS, PHOTO_LAYER
from realtime.analysis.parser_locator import ParserLocator, load_parser
from realtime.bench.footage import Clip, read_clips
from realtime.sources.open_source import open_source
from realtime.types import Frame, Region

EVERY = 6  # frames from one cut to the next
LEAST_SIDE = 60  # pixels of a garment's longer side
SHEET, COLUMNS, SHEET_SIDE = 96, 12, 96
COPIES = 6  # of each cut beside a data set, in which so few would be lost
REMINDERS = 6  # one in so many of its training pictures: enough to forget nothing


def cuts(clip: Clip, locate: ParserLocator, out: Path, *, group: str) -> Iterator[Sample]:
    """Write the garments of a clip as pictures, each with its label."""
    for frame, garments in _labelled(clip, locate):
        for label, region in garments:
            path = out / f"{clip.path.stem}-{frame.index:05d}-{label}.jpg"
            write_image(path, square_crop(frame.image, region))
            yield Sample(path, label, group=group)


def boxed_frames(clip: Clip, locate: ParserLocator, out: Path) -> Iterator[Sample]:
    """Write frames of a clip into images/ with the boxes of their garments in labels/.

    Boxes have the labels' layers, whatever the parser took the garments for.
    """
    for frame, garments in _labelled(clip, locate):
        path = out / "images" / "train" / f"{clip.path.stem}-{frame.index:05d}.jpg"
        write_image(path, frame.image)
        height, width = frame.image.shape[:2]
        layers = [LAYERS.index(PHOTO_LAYER.get(label, label)) for label, _ in garments]
        boxes = np.array([region.box for _, region in garments])
        write_boxes(path, layers, boxes, width=width, height=height)
        yield from (Sample(path, label) for label, _ in garments)


def _labelled(
    clip: Clip, locate: ParserLocator
) -> Iterator[tuple[Frame, list[tuple[str, Region]]]]:
    """Frames of a clip with those of their garments that have a label, and the label."""
    with open_source(str(clip.path)) as source:
        for frame in source:
            if frame.index % EVERY:
                continue
            found = []
            for region in locate(frame.image):
                label = _label(locate.info.classes[int(region.scores.argmax())], clip.kinds)
                if label and max(region.mask.shape) >= LEAST_SIDE:
                    found.append((label, region))
            if found:
                yield frame, found


def _label(layer: str, kinds: tuple[str, ...]) -> str:
    """The clip's one label for a layer's part of the body; empty where it has none, or several."""
    part = BODY_PART.get(CLASS_OF.get(layer, layer), layer)
    found = [kind for kind in kinds if BODY_PART.get(kind, kind) == part]
    return found[0] if len(found) == 1 else ""


def beside(samples: Sequence[Sample], folder: Path) -> list[Sample]:
    """The samples, several times each, for training, beside part of a data set and its validation.

    Raises:
        DataError: the folder holds no data set of preprocessing.builders.photo_dataset.
    """
    if not (folder / INDEX).is_file():
        raise DataError(f"no {INDEX} in {folder}: see preprocessing.builders.photo_dataset")
    learnt = [replace(sample, path=sample.path.resolve(), split="training") for sample in samples]
    known = read_csv(folder / INDEX)
    reminders = [sample for sample in known if sample.split == "training"][::REMINDERS]
    kept = [sample for sample in known if sample.split != "training"]
    return [*kept, *reminders, *learnt * COPIES]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.fitting.crops_from_clips",
        description="Cut garments out of labelled clips, for preprocessing.builders.photo_dataset.",
    )
    add = parser.add_argument
    add(
        "--clips",
        type=Path,
        required=True,
        metavar="CSV",
        help="file,labels as for bench.score",
    )
    add("--outfit", action="append", required=True, metavar="NAME=FILE,FILE",
        help="clips of one outfit; only those named are cut")  # fmt: skip
    add("--out", type=Path, required=True, help="folder for the pictures and index.csv")
    add("--beside", type=Path, metavar="DIR", help="a data set of builders.photo_dataset "
        "to list them in, beside a sixth of it: index.csv is then one for --init")  # fmt: skip
    add("--frames", action="store_true", help="write frames and boxes for training.fit --boxed, "
        "not cuts")  # fmt: skip
    return exit_status(partial(_run, parser.parse_args(argv)))


def _run(args: argparse.Namespace) -> int:
    if args.frames and args.beside:
        raise UsageError("--beside lists cuts among others: leave it or --frames out")
    clips = {clip.path.name: clip for clip in read_clips(args.clips)}
    locate = ParserLocator(load_parser("parser", threads=1))
    args.out.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    for outfit in args.outfit:
        group, _, names = outfit.partition("=")
        for name in names.split(","):
            if name not in clips:
                raise UsageError(f"--outfit {outfit}: {args.clips} lists no {name!r}")
            write = boxed_frames if args.frames else partial(cuts, group=group)
            samples += write(clips[name], locate, args.out)
    if not samples:
        raise DataError(f"no labelled garment was found in the clips of {args.clips}")
    written = _list_frames(args.out) if args.frames else _list_cuts(samples, args.out, args.beside)
    counts = sorted(Counter(sample.label for sample in samples).items())
    print(f"{', '.join(f'{name} {count}' for name, count in counts)}; {written}")
    return 0


def _list_frames(folder: Path) -> str:
    """Write data.yaml and a sheet; what was written, in words."""
    write_layout(folder / "data.yaml", LAYERS)
    draw_sheet(folder, "train")
    return f"{folder}/data.yaml, sheet-train.png"


def _list_cuts(samples: Sequence[Sample], folder: Path, others: Path | None) -> str:
    """Write index.csv, beside another data set's samples if there is one, and a sheet."""
    if others:
        write_csv(folder / INDEX, beside(samples, others))
        shutil.copy(others / MAPPING, folder)
    else:
        write_csv(folder / INDEX, samples)
    paths = [sample.path for sample in samples]
    sheet = picture_sheet(paths, side=SHEET_SIDE, columns=COLUMNS, most=SHEET)
    write_image(folder / "sheet.png", sheet)
    return f"{folder}/{INDEX}, sheet.png"


if __name__ == "__main__":
    sys.exit(main())
