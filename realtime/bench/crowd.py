"""Scores the pipeline on composed crowds: `python -m realtime.bench.crowd --data DIR`.

Each scene is analysed anew, as a single frame, so that one look decides. A garment is right if a
true one of its layer is where it is; its class does not count. Prints a row for each kind of scene.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.contact_sheets import Mark
from preprocessing.images.regions import box_iou, greedy_matches
from preprocessing.synthesis.crowds import KINDS, Crowd, VisiblePerson, compose
from realtime.bench.answers import Analysis, Cell, layer_of, markdown, wearers, write_figures
from realtime.bench.composed import ComposedSettings, Material
from realtime.bench.footage import picture_frame
from realtime.bench.sheets import TRUE, WorstPictures, found_marks
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import Garment

MATCH_IOU = 0.5  # with a true garment of the same layer, from which a found one is right


@dataclass(frozen=True, kw_only=True)
class CrowdSettings(ComposedSettings):
    """Scenes to compose.

    Raises:
        UsageError: an unknown kind.
    """

    scenes: Annotated[int, Flag("scenes of each kind", POSITIVE, metavar="N")] = 24
    seeds: Annotated[
        int, Flag("number of seeds, whose spread is printed", POSITIVE, metavar="N")
    ] = 1
    kinds: Annotated[
        tuple[str, ...],
        Flag("kinds of scenes: " + ", ".join(KINDS), metavar="A,B,...", default="all"),
    ] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.kinds if name not in KINDS]
        if unknown:
            raise UsageError(f"--kinds has the unknown {', '.join(unknown)}: wanted some of "
                             f"{', '.join(KINDS)}")  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """Counts over scenes.

    Attributes:
        right: garments found in the right place with the right layer; true, found: all of them.
        people: that are visible; people_found: wearers of garments.
    """

    right: int = 0
    true: int = 0
    found: int = 0
    people: int = 0
    people_found: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(_values(self), _values(other), strict=True)))

    @property
    def f1(self) -> float:
        """Of the garments; 1 if there is none and none was found."""
        total = self.true + self.found
        return 2 * self.right / total if total else 1.0


def _values(counts: Counts) -> Iterable[int]:
    return asdict(counts).values()


def count_garments(people: Sequence[VisiblePerson], garments: Sequence[Garment]) -> Counts:
    """Compare the garments that were found in a scene with those that are there."""
    true = [(layer, box) for person in people for layer, box in person.garments.items()]
    layers = [layer_of(garment) for garment in garments]
    right = 0
    if true and garments:
        overlap = box_iou(
            np.stack([box for _, box in true]), np.stack([g.region.box for g in garments])
        )
        same = np.array([[layer == found for found in layers] for layer, _ in true])
        right = len(greedy_matches(np.where(same, overlap, 0), minimum=MATCH_IOU))
    return Counts(right, len(true), len(garments), len(people), len(wearers(garments)))


class CrowdScorer:
    """Analyses scenes, each by an analysis of its own, and counts.

    Args:
        new_analysis: makes an analysis.
    """

    def __init__(self, new_analysis: Callable[[], Analysis]):
        self._new_analysis = new_analysis
        self.worst = WorstPictures()

    def __call__(self, scenes: Iterable[Crowd]) -> Counts:
        """Count over scenes; `worst` collects the worst of them."""
        counted = Counts()
        for scene in scenes:
            garments = self._new_analysis()(picture_frame(scene.image), Stats())
            counts = count_garments(scene.people, garments)
            counted += counts
            self.worst.add(
                scene.image,
                [*_true_marks(scene), *found_marks(garments)],
                badness=1 - counts.f1,
                caption=f"F1 {counts.f1:.2f}: {counts.right} right, {counts.true} true, "
                f"{counts.found} found",
            )
        return counted


def _true_marks(scene: Crowd) -> Iterable[Mark]:
    boxes = (box for person in scene.people for box in person.garments.values())
    return (Mark(box, TRUE, width=2) for box in boxes)


def compose_scenes(material: Material, kind: str, *, seed: int, count: int) -> Iterable[Crowd]:
    """Scenes of a kind, the same for the same seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    for _ in range(count):
        yield compose(KINDS[kind], cutouts=material.cutouts, rooms=material.rooms, rng=rng)


HEAD = ("scenes", "F1", "from", "to", "right", "true", "found", "people", "people found")


def table(counts: Mapping[str, Sequence[Counts]]) -> str:
    """The figures as Markdown, a row for each kind, from its counts by seed.

    F1 is of all scenes of a kind; its range is over the seeds.
    """
    rows = [_row(KINDS[name].title, some) for name, some in counts.items()]
    mean = float(np.mean([row[1] for row in rows]))
    return markdown(HEAD, [*rows, ("mean", mean, *[None] * (len(HEAD) - 2))])


def _row(title: str, some: Sequence[Counts]) -> tuple[str, float, *tuple[Cell, ...]]:
    scores = [one.f1 for one in some]
    spread = (min(scores), max(scores)) if len(some) > 1 else (None, None)
    found = sum(some, Counts())
    return (title, found.f1, *spread, *asdict(found).values())


def figures(counts: Mapping[str, Sequence[Counts]]) -> dict[str, dict[str, object]]:
    """The same for JSON: by kind the F1, that of each seed, and the counts."""
    sums = {name: sum(some, Counts()) for name, some in counts.items()}
    return {
        name: {"f1": found.f1, "f1_by_seed": [one.f1 for one in counts[name]], **asdict(found)}
        for name, found in sums.items()
    }


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.crowd",
        description="Score the pipeline on composed crowds: F1 of garments, one look a scene, a "
        "garment being right where a true one of its layer has a box IoU of 0.5 or more.",
    )
    add_fields(arguments, CrowdSettings)
    add_fields(arguments, Recognition)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(CrowdSettings, args), recognition_of(args)))


def _run(settings: CrowdSettings, recognition: Recognition) -> int:
    material = settings.material()
    factory = AnalysisFactory(replace(recognition, detection_interval="every-frame"))
    seeds = range(settings.seed, settings.seed + settings.seeds)
    counts: dict[str, list[Counts]] = {}
    for name in tqdm(settings.kinds or KINDS, "kinds of scenes", disable=None):
        score = CrowdScorer(factory.new_analysis)
        counts[name] = [
            score(compose_scenes(material, name, seed=seed, count=settings.scenes))
            for seed in seeds
        ]
        if settings.sheet:
            score.worst.write(settings.sheet / f"{name}.png")
    print(f"{material}, {factory.description}")
    print(table(counts))
    if settings.json:
        write_figures(settings.json, figures(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
