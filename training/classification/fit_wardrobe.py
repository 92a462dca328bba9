"""Fits the embedding of taught garments: `python -m training.classification.fit_wardrobe`.

Few garments are photographed twice: views are made of photos of single garments. A linear
discriminant analysis of some senders' garments gives the projection, other senders' garments the
score from which a garment is named. Imports no torch.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from preprocessing.datasets.samples_and_splits import Sample, read_samples, split_samples
from preprocessing.errors import DataError, exit_status
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from preprocessing.images.segmentation import segment
from preprocessing.labels import PHOTO_CLASS
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE, Change, another_view
from training.classification.teaching import Describer, load_finder
from training.inference.embedding import (
    NEAREST,
    Decision,
    EmbeddingSpace,
    cloth_features,
    write_space,
)

VALIDATION, TEST = 0.25, 0.3  # fractions of the photos, by sender
GARMENTS, HELD_OUT, OTHERS = 600, 60, 500  # to learn from, to validate on, and beside those
VIEWS = (AGAIN, ELSEWHERE, ELSEWHERE, ELSEWHERE)  # of each to learn from
HELD_OUT_VIEWS = (AGAIN,) * 5 + (ELSEWHERE,) * 5
UNEVEN = 3  # steps by which a mask to learn from is larger or smaller at most
STEP = 80  # of them a garment's side has
COMPONENTS, DIMENSIONS = 250, 96  # of cloth, before and after the discriminant analysis
KIND_DIMENSIONS = 64  # principal components of the last layer's input
UNDECIDED = Decision(slope=1.0, shift=0.0)
SHRINKAGE = 0.2  # of the covariance within garments to its diagonal
TAUGHT, PICTURES = 20, 3  # garments in a wardrobe, and pictures of each
ROUNDS = 20  # random wardrobes
FALSE = 0.002  # fraction of other garments that a wardrobe may name

Locate = Callable[[np.ndarray], Region | None]


@dataclass(frozen=True, eq=False)
class Described:
    """Features of pictures.

    Attributes:
        features: float32 (N, F).
        garments: int (N,), equal for pictures of one garment.
        views: int (N,), 0 for a photo itself, from 1 on for views made of it.
    """

    features: np.ndarray
    garments: np.ndarray
    views: np.ndarray

    @property
    def photos(self) -> np.ndarray:
        """True for photos, bool (N,)."""
        return self.views == 0

    def of(self, views: Sequence[int]) -> "Described":
        """The pictures of some views."""
        there = np.isin(self.views, views)
        return Described(self.features[there], self.garments[there], self.views[there])


def describe(
    samples: Sequence[Sample],
    describer: Describer,
    changes: Sequence[Change],
    *,
    locate: Locate | None = None,
    title: str,
) -> Described:
    """Describe photos and views made of them.

    Args:
        changes: of the views of each photo.
        locate: finds the garment anew in each view; None to know where it went, with a mask that is
            a little wrong.

    Raises:
        DataError: a photo cannot be read.
    """
    rows, garments, views = [], [], []
    for number, sample in enumerate(tqdm(samples, title, disable=None)):
        photo = read_picture(sample.path)
        region = next(iter(segment(photo, "grabcut")), None)
        for view, (image, there) in enumerate(_views(photo, region, changes, seed=number)):
            rows.append(describer(image, locate(image) if locate else there))
            garments.append(number)
            views.append(view)
    return Described(np.stack(rows), np.array(garments), np.array(views))


def _views(
    photo: np.ndarray, region: Region | None, changes: Sequence[Change], *, seed: int
) -> Iterator[tuple[np.ndarray, Region | None]]:
    """A photo and views of it, each with its garment."""
    yield photo, region
    rng = np.random.default_rng(seed)
    for change in changes:
        image, moved = another_view(photo, region, rng, change)
        yield image, moved and uneven(moved, image.shape, rng)


def uneven(region: Region, shape: tuple[int, ...], rng: np.random.Generator) -> Region:
    """A region of an image of a shape (H, W, ...), a little larger or smaller."""
    steps = int(rng.integers(-UNEVEN, UNEVEN + 1))
    x1, y1, x2, y2 = region.window
    cover = np.zeros(shape[:2], np.uint8)
    cover[y1:y2, x1:x2] = region.mask
    side = 2 * max(1, round(max(region.mask.shape) / STEP)) + 1
    change = cv2.erode if steps < 0 else cv2.dilate
    return Region.from_mask(change(cover, np.ones((side, side)), iterations=abs(steps))) or region


def fit_space(found: Described, *, first: int) -> EmbeddingSpace:
    """The space that tells garments apart, with their photos as background and no decision yet.

    Args:
        first: number of features of cloth, which stand before those of the kind.

    Raises:
        DataError: there are too few garments.
    """
    mean = found.features.mean(axis=0)
    cloth = discriminants(found.features[:, :first].astype(np.float64), found.garments)
    centred = found.features[found.photos, first:] - mean[first:]
    kind = np.linalg.svd(centred, full_matrices=False)[2][:KIND_DIMENSIONS]
    parts = mean.astype(np.float32), cloth.astype(np.float32), kind.astype(np.float32)
    empty = np.zeros((0, len(cloth) + len(kind)), np.float32)
    background = EmbeddingSpace(*parts, empty, UNDECIDED).embed(found.features[found.photos])
    return EmbeddingSpace(*parts, background, UNDECIDED)


def discriminants(features: np.ndarray, garments: np.ndarray) -> np.ndarray:
    """The projection (D, F) of a linear discriminant analysis of features (N, F) less their mean.

    Args:
        garments: int (N,), equal for pictures of one garment.

    Raises:
        DataError: there are too few garments, or one picture of each.
    """
    scale = features.std(axis=0) + 1e-6
    scaled = (features - features.mean(axis=0)) / scale
    components = np.linalg.svd(scaled, full_matrices=False)[2][:COMPONENTS]
    reduced = scaled @ components.T
    _, members, counts = np.unique(garments, return_inverse=True, return_counts=True)
    if len(counts) <= NEAREST or counts.max() < 2:
        raise DataError(f"too few photos of garments: wanted {GARMENTS}, got {len(counts)}")
    centres = np.zeros((len(counts), reduced.shape[1]))
    np.add.at(centres, members, reduced)
    centres /= counts[:, None]
    deviations = reduced - centres[members]
    within = deviations.T @ deviations / (counts.sum() - len(counts))
    within += SHRINKAGE * (np.diag(np.diag(within)) - within)
    values, vectors = np.linalg.eigh(within)
    whitening = vectors / np.sqrt(np.maximum(values, 1e-6 * values.max())) @ vectors.T
    between = np.cov(centres.T)
    directions = np.linalg.eigh(whitening @ between @ whitening)[1][:, : -DIMENSIONS - 1 : -1]
    projection = directions.T @ whitening @ components / scale
    return projection / np.abs(projection).max()  # embeddings have unit length anyway


def joined(first: Described, second: Described) -> Described:
    """Both, the garments of the second numbered behind those of the first."""
    shifted = second.garments + first.garments.max() + 1
    return Described(
        np.concatenate([first.features, second.features]),
        np.concatenate([first.garments, shifted]),
        np.concatenate([first.views, second.views]),
    )


@dataclass(frozen=True, eq=False)
class Trial:
    """Scores in random wardrobes.

    Attributes:
        own: float (N,), of pictures of taught garments with their own names;
        rival: float (N,), with the best of the other names.
        others: float (M,), of pictures of garments that were not taught, with the best name.
    """

    own: np.ndarray
    rival: np.ndarray
    others: np.ndarray


def try_wardrobes(space: EmbeddingSpace, found: Described, *, taught: int) -> Trial:
    """Scores of a space in random wardrobes.

    Args:
        taught: the first garments of `found` may be taught, the others never are.
    """
    embeddings = space.embed(found.features)
    others = embeddings[(found.garments >= taught) & found.photos]
    rng, own, rival, unknown = np.random.default_rng(0), [], [], []
    for _ in range(ROUNDS):
        prototypes, asked, answers = [], [], []
        chosen = rng.choice(taught, min(TAUGHT, taught), replace=False)
        for column, garment in enumerate(chosen):
            rows = rng.permutation(np.flatnonzero((found.garments == garment) & ~found.photos))
            prototypes.append(embeddings[rows[:PICTURES]])
            asked.append(embeddings[rows[PICTURES:]])
            answers += [column] * len(asked[-1])
        scores = _name_scores(space, np.concatenate(asked), prototypes)
        places = np.arange(len(scores)), np.array(answers)
        own.append(scores[places].copy())
        scores[places] = -np.inf
        rival.append(scores.max(axis=1))
        unknown.append(_name_scores(space, others, prototypes).max(axis=1))
    return Trial(*map(np.concatenate, (own, rival, unknown)))


def _name_scores(
    space: EmbeddingSpace, embeddings: np.ndarray, prototypes: Sequence[np.ndarray]
) -> np.ndarray:
    """Scores float32 (N, names)."""
    return np.stack([space.scores(embeddings, one).max(axis=1) for one in prototypes], axis=1)


def fit_decision(trial: Trial) -> Decision:
    """The decision that names FALSE of the garments that were not taught."""
    from sklearn.linear_model import LogisticRegression  # takes seconds to import

    scores = np.concatenate([trial.own, trial.others])
    same = np.arange(len(scores)) < len(trial.own)
    model = LogisticRegression(C=1e3, class_weight="balanced").fit(scores[:, None], same)
    slope, threshold = float(model.coef_[0, 0]), float(np.quantile(trial.others, 1 - FALSE))
    return Decision(slope=round(slope, 2), shift=round(slope * threshold, 3))


def summary(trial: Trial, decision: Decision) -> str:
    """Fractions of pictures that are named, in words."""
    threshold = decision.shift / decision.slope
    right = (trial.own > threshold) & (trial.own > trial.rival)
    return (f"{right.mean():.1%} of {len(right)} pictures of taught garments are named, and "
            f"{(trial.others > threshold).mean():.2%} of {len(trial.others)} of others, in "
            f"wardrobes of {TAUGHT} garments by {PICTURES} pictures")  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m training.classification.fit_wardrobe",
        description="Fit the embedding by which a classifier's app recognises taught garments, and "
        "write it beside the classifier's weights.",
    )
    add = arguments.add_argument
    add("--photos", type=Path, required=True, metavar="DIR|CSV",
        help="photos of single garments: a folder a class, or a CSV path,label,GROUP")  # fmt: skip
    add("--group-column", default="group", metavar="NAME",
        help="column of the sender, whose photos are on one side of the split")  # fmt: skip
    add("--model", default="photo", metavar="NAME|FILE", help="classifier (default photo)")
    add("--locator", default="parser", metavar="NAME|FILE",
        help="parser that finds validation garments (default parser)")  # fmt: skip
    add("--threads", type=int, default=1, metavar="N", help="threads of each network (default 1)")
    return exit_status(lambda: _run(arguments.parse_args(argv)))


def parts(photos: Path, group_column: str) -> dict[str, list[Sample]]:
    """Photos of garments by split, in random order; senders are in one split each.

    Raises:
        DataError: there are no such photos.
    """
    samples = [
        sample
        for sample in read_samples(photos, group_column=group_column)
        if sample.label in PHOTO_CLASS
    ]
    if not samples:
        raise DataError(f"{photos} has no photos of {', '.join(sorted(PHOTO_CLASS))}")
    splits = split_samples(samples, validation=VALIDATION, test=TEST, seed=0)
    order = np.random.default_rng(0).permutation(len(splits)).tolist()
    found: dict[str, list[Sample]] = {"training": [], "validation": [], "test": []}
    for index in order:
        found[splits[index].split].append(splits[index])
    return found


def _run(args: argparse.Namespace) -> int:
    photos = parts(args.photos, args.group_column)
    describer = Describer(args.model, threads=args.threads)
    find = load_finder(args.locator, threads=args.threads)
    learnt = describe(photos["training"][:GARMENTS], describer, VIEWS, title="to learn from")
    space = fit_space(learnt, first=cloth_features(describer.stem, describer.info))
    held_out = photos["validation"][:HELD_OUT]
    taught = describe(held_out, describer, HELD_OUT_VIEWS, locate=find, title="to teach")
    others = describe(
        photos["validation"][HELD_OUT:][:OTHERS], describer, (), locate=find, title="others"
    )
    found = joined(taught, others)
    decision = fit_decision(try_wardrobes(space, found, taught=len(held_out)))
    for title, change in (("again", AGAIN), ("elsewhere", ELSEWHERE)):
        shown = [n for n, one in enumerate((None, *HELD_OUT_VIEWS)) if one in (None, change)]
        trial = try_wardrobes(space, found.of(shown), taught=len(held_out))
        print(f"photographed {title}: {summary(trial, decision)}")
    path = write_space(replace(space, decision=decision), describer.stem)
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
