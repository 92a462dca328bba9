"""Scores search by example: `python -m realtime.bench.search.example --photos CSV`.

Photos of senders on whose photos nothing was fitted are indexed, one stay each. Each garment is
then asked for by other pictures of it: views of its photo on another ground, in other light, by a
worse camera, since hardly any garment is photographed twice. It is found if its stay is among the
first five.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import whole_image
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE
from realtime.bench.answers import markdown
from realtime.bench.wardrobe import views
from realtime.search.likeness import Embedder, find_near
from realtime.search.reader import Reader
from realtime.search.schema import Stay
from realtime.search.storage import RunWriter
from training.classification.described_garments import parts
from training.classification.teaching import GarmentFinder, load_finder

FIRST = 5  # results among which the garment has to be
KINDS = {"again": AGAIN, "elsewhere": ELSEWHERE}


@dataclass(frozen=True, kw_only=True)
class ExampleSettings:
    """Pictures to score on."""

    photos: Annotated[Path, Flag("photos of single garments: path,label,GROUP", metavar="CSV")]
    group_column: Annotated[str, Flag("column of the sender", metavar="NAME")] = "group"
    garments: Annotated[int, Flag("garments that are asked for", POSITIVE, "N")] = 60
    others: Annotated[int, Flag("photos in the index at most", POSITIVE, "N")] = 300


def index_photos(
    samples: Sequence[Sample], index: Path, embed: Embedder, find: GarmentFinder
) -> None:
    """Index each photo as one stay, numbered from 1."""
    writer = RunWriter(index, "photos")
    writer.open()
    stays = []
    for number, sample in enumerate(tqdm(samples, "indexed", disable=None), start=1):
        image = read_picture(sample.path)
        embedding, crowding = embed(image, find(image) or whole_image(image))
        stays.append(Stay(stay=number, version=1, open=False, run="photos", camera="photos",
                          source=str(sample.path), place="", first=0.0, last=0.0, frames=1,
                          name=sample.label, leaf=sample.label, embedding=embedding,
                          crowding=crowding))  # fmt: skip
    writer.append(stays)
    writer.close()


def recall(
    samples: Sequence[Sample], reader: Reader, embed: Embedder, *, kind: str
) -> tuple[int, int]:
    """How many garments were found among the first FIRST, and how many first of all."""
    found = first = 0
    for number, sample in enumerate(tqdm(samples, kind, disable=None), start=1):
        for view in views(sample, KINDS[kind], 1, seed=5000 + number):
            results = find_near(reader, embed.example(view), embed.space, least=0.0, most=FIRST)
            stays = [result.best.row["stay"] for result in results]
            found += number in stays
            first += stays[:1] == [number]
    return found, first


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.search.example",
        description="Score search by example on photos of held-out senders: how often the garment "
        f"is among the first {FIRST}.",
    )
    add_fields(arguments, ExampleSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(ExampleSettings, args)))


def _run(settings: ExampleSettings) -> int:
    samples = parts(settings.photos, settings.group_column)["test"]
    order = np.random.default_rng(0).permutation(len(samples))[: settings.others]
    chosen = [samples[place] for place in order.tolist()]
    embed, find = Embedder(), load_finder("parser")
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        index_photos(chosen, index, embed, find)
        reader, rows = Reader(index), []
        asked = chosen[: settings.garments]
        for kind in KINDS:
            found, first = recall(asked, reader, embed, kind=kind)
            rows.append((kind, len(asked), len(chosen), found / len(asked), first / len(asked)))
        reader.close()
    print(markdown(("pictures", "asked for", "in the index", f"among {FIRST}", "first"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
