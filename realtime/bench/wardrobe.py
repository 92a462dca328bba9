"""Scores taught garments: `python -m realtime.bench.wardrobe --photos CSV --clips CSV`.

Garments are taught by three pictures each, and asked for in other pictures through the whole
pipeline, one look at each. Photos: of senders whose photos nothing was fitted on; a garment's
pictures are views made of its one photo, since hardly any is photographed four times. Clips: a
garment is taught in one clip and asked for in others.
"""

import csv
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.datasets.samples_and_splits import Sample
from preprocessing.errors import DataError, UsageError, exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import whole_image
from preprocessing.images.segmentation import segment
from preprocessing.labels import PHOTO_CLASS
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE, Change, another_view
from realtime.bench.answers import class_of, layer_of, markdown, summed
from realtime.bench.footage import Footage, frames_of, picture_frame
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import Garment
from training.classification.described_garments import parts
from training.classification.teaching import Describer, GarmentFinder, load_finder
from training.inference.embedding import read_space
from training.inference.wardrobe import Wardrobe

PICTURES, ASKED = 3, 5  # to teach a garment, and to ask for it in
CLIP_FRAMES = 12  # looked at in each clip
KINDS = {"again": AGAIN, "elsewhere": ELSEWHERE}
PARTS = {"upper": ("top", "outer", "dress"), "lower": ("trousers", "skirt", "shorts")}
COLUMNS = ("file", "garment", "part")
FILE = "wardrobe.npz"


@dataclass(frozen=True, kw_only=True)
class WardrobeSettings:
    """Pictures to score on.

    Raises:
        UsageError: there are none.
    """

    photos: Annotated[
        Path | None,
        Flag("photos of single garments: a folder a class, or a CSV path,label,GROUP",
             metavar="DIR|CSV", default="none"),
    ] = None  # fmt: skip
    group_column: Annotated[str, Flag("column of the sender", metavar="NAME")] = "group"
    garments: Annotated[int, Flag("garments in a wardrobe", POSITIVE, "N")] = 20
    others: Annotated[int, Flag("photos of other garments", POSITIVE, "N")] = 300
    seeds: Annotated[int, Flag("wardrobes, of other garments each", POSITIVE, "N")] = 1
    clips: Annotated[
        Path | None,
        Flag("clips by the garments that are worn in them: columns file, garment, part (upper or "
             "lower)", metavar="CSV", default="none"),
    ] = None  # fmt: skip

    def __post_init__(self) -> None:
        if not self.photos and not self.clips:
            raise UsageError("nothing to score: give --photos DIR|CSV or --clips CSV")


@dataclass
class Score:
    """Counts over pictures.

    Attributes:
        asked: pictures of taught garments; named: those with the right taught name.
        others: pictures of other garments; taken: those with a taught name; lost: those of them
            that had the right class without the wardrobe.
    """

    name: str
    asked: int = 0
    named: int = 0
    others: int = 0
    taken: int = 0
    lost: int = 0

    def row(self) -> tuple[str | int, ...]:
        """The figures with their counts."""
        return (
            self.name,
            _percent(self.named, self.asked),
            _percent(self.taken, self.others),
            _percent(self.lost, self.others),
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} % ({part} of {whole})" if whole else ""


class Taught:
    """The app before and after garments were taught to it.

    Args:
        folder: for the wardrobe's file.
    """

    def __init__(self, recognition: Recognition, folder: Path):
        self.describe = Describer(recognition.model, threads=recognition.threads)
        self._recognition, self._file = recognition, folder / FILE
        self._plain = AnalysisFactory(recognition)
        self._space = read_space(self.describe.stem)

    def learn(self, pictures: dict[str, list[np.ndarray]]) -> None:
        """Teach garments by the prototypes (N, F) of their pictures, in place of earlier ones."""
        wardrobe = Wardrobe.empty(self.describe.stem, self._space)
        for name, features in pictures.items():
            wardrobe = wardrobe.taught(name, np.concatenate(features))
        wardrobe.write(self._file)
        self._taught = AnalysisFactory(replace(self._recognition, wardrobe=self._file))

    def before(self, image: np.ndarray) -> list[Garment]:
        """The garments in a BGR image (H, W, 3) without the wardrobe."""
        return self._plain.new_analysis()(picture_frame(image), Stats())

    def after(self, image: np.ndarray) -> list[Garment]:
        """The garments in a BGR image (H, W, 3) with the wardrobe."""
        return self._taught.new_analysis()(picture_frame(image), Stats())


def largest(garments: Sequence[Garment], part: str = "") -> Garment | None:
    """The largest garment, or that on a part of the body; None if there is none."""
    there = [g for g in garments if not part or layer_of(g) in PARTS[part]]
    return max(there, key=lambda one: np.count_nonzero(one.region.mask), default=None)


def score_photos(
    samples: Sequence[Sample], app: Taught, find: GarmentFinder, *, settings: WardrobeSettings
) -> list[Score]:
    """Scores of views of photos, by kind; the same wardrobe is taught for all.

    Args:
        samples: the first are taught, the next are the others.
    """
    chosen = samples[: settings.garments]
    others = samples[settings.garments :][: settings.others]
    app.learn({
        _name(number): [
            app.describe.prototypes(view, find(view) or whole_image(view))
            for view in views(sample, AGAIN, PICTURES, seed=number)
        ]
        for number, sample in enumerate(tqdm(chosen, "to teach", disable=None))
    })  # fmt: skip
    scores = []
    for kind, change in KINDS.items():
        score = Score(f"photos, {kind}")
        for number, sample in enumerate(tqdm(chosen, kind, disable=None)):
            for view in views(sample, change, ASKED, seed=1000 + number):
                found = largest(app.after(view))
                score.asked += 1
                score.named += found is not None and found.label.name == _name(number)
        scores.append(score)
    _count_others(scores[0], others, app)
    return scores


def _name(number: int) -> str:
    return f"garment {number}"


def views(sample: Sample, change: Change, count: int, *, seed: int) -> Iterator[np.ndarray]:
    """Views BGR uint8 (H, W, 3) of a photo.

    Raises:
        DataError: it cannot be read.
    """
    photo, rng = read_picture(sample.path), np.random.default_rng(seed)
    region = next(iter(segment(photo, "grabcut")), None)
    for _ in range(count):
        yield another_view(photo, region, rng, change)[0]


def _count_others(score: Score, others: Sequence[Sample], app: Taught) -> None:
    for sample in tqdm(others, "others", disable=None):
        photo = read_picture(sample.path)
        found = largest(app.after(photo))
        score.others += 1
        if found is None or not found.label.name.startswith("garment "):
            continue
        score.taken += 1
        before = largest(app.before(photo))
        score.lost += before is not None and class_of(before) == PHOTO_CLASS[sample.label]


@dataclass(frozen=True)
class WornGarment:
    """A garment in several clips, on a part of the body of PARTS."""

    name: str
    part: str
    clips: tuple[Path, ...]


def read_worn(index: Path) -> list[WornGarment]:
    """The garments of a CSV with the columns file, garment and part, in its order.

    Raises:
        DataError: a column or a clip is missing, or a garment is in one clip alone.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    try:
        with index.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found.setdefault((row["garment"], row["part"]), []).append(
                    index.parent / row["file"]
                )
    except (OSError, KeyError) as error:
        raise DataError(f"cannot read {index} ({error}): wanted the columns "
                        f"{', '.join(COLUMNS)}") from error  # fmt: skip
    for (name, part), clips in found.items():
        missing = [clip for clip in clips if not clip.exists()]
        if part not in PARTS or missing or len(clips) < 2:
            reason = f"no {missing[0]}" if missing else "wanted part upper or lower, and two clips"
            raise DataError(f"{index}, {name}: {reason}")
    return [WornGarment(*key, tuple(clips)) for key, clips in found.items()]


def score_worn(worn: Sequence[WornGarment], app: Taught) -> Score:
    """The score of garments that are taught in their first clip and asked for in the others.

    Its other pictures are all garments found in the clips, of which none may have the name of
    another one.
    """
    looks = {clip: _looks(clip) for garment in worn for clip in garment.clips}
    app.learn({one.name: _worn_pictures(one, looks[one.clips[0]], app) for one in worn})
    taught, score = {one.name for one in worn}, Score("clips")
    for clip, images in tqdm(looks.items(), "clips", disable=None):
        there = [one for one in worn if clip in one.clips]
        for image in images:
            garments = app.after(image)
            score.others += len(garments)
            for garment in garments:
                right = {one.name for one in there if layer_of(garment) in PARTS[one.part]}
                score.taken += garment.label.name in taught - right
            for one in there:
                found = largest(garments, one.part)
                if found and clip != one.clips[0]:
                    score.asked += 1
                    score.named += found.label.name == one.name
    return score


def _looks(clip: Path) -> list[np.ndarray]:
    """Evenly spread frames of a clip, or of a folder of pictures, BGR uint8 (H, W, 3)."""
    images = [frame.image for frame, _ in frames_of(Footage(clip, ()))]
    places = np.linspace(0, len(images) - 1, min(CLIP_FRAMES, len(images)))
    return [images[place] for place in places.round().astype(int).tolist()]


def _worn_pictures(
    garment: WornGarment, images: Sequence[np.ndarray], app: Taught
) -> list[np.ndarray]:
    """Prototypes (N, F) of a garment in some of the frames in which it was found.

    Raises:
        DataError: it was found in none.
    """
    found = [(image, largest(app.before(image), garment.part)) for image in images]
    there = [(image, one.region) for image, one in found if one]
    if not there:
        raise DataError(f"{garment.clips[0]}: nothing on the {garment.part} body was found")
    places = np.linspace(0, len(there) - 1, min(PICTURES, len(there))).round().astype(int)
    return [app.describe.prototypes(*there[place]) for place in places.tolist()]


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.wardrobe",
        description=f"Teach garments by {PICTURES} pictures each, and score how many other "
        "pictures of them get\ntheir names, and how many pictures of other garments do.",
    )
    add_fields(arguments, WardrobeSettings)
    add_fields(arguments, Recognition)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(WardrobeSettings, args), recognition_of(args)))


def _run(settings: WardrobeSettings, recognition: Recognition) -> int:
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        app = Taught(recognition, Path(folder))
        if settings.photos:
            found = [
                score_photos(samples, app, load_finder("parser"), settings=settings)
                for samples in _drawn(settings)
            ]
            scores += [summed(Score(kind[0].name), kind) for kind in zip(*found, strict=True)]
        if settings.clips:
            scores.append(score_worn(read_worn(settings.clips), app))
    head = ("pictures", "named", "others named", "others' accuracy lost")
    print(markdown(head, [score.row() for score in scores]))
    return 0


def _drawn(settings: WardrobeSettings) -> Iterator[list[Sample]]:
    """Photos of senders on whose photos nothing was fitted, in another order for each seed.

    Raises:
        DataError: they are too few.
    """
    assert settings.photos is not None
    samples = parts(settings.photos, settings.group_column)["test"]
    if len(samples) <= settings.garments:
        raise DataError(f"{settings.photos} has {len(samples)} photos of held-out senders, wanted "
                        f"more than --garments {settings.garments}")  # fmt: skip
    for seed in range(settings.seeds):
        order = np.random.default_rng(seed).permutation(len(samples))
        yield [samples[place] for place in order.tolist()]


if __name__ == "__main__":
    sys.exit(main())
