"""Fits the embedding of taught garments: `python -m training.classification.fit_wardrobe`.

Few garments are photographed twice: views are made of photos of single garments. A linear
discriminant analysis of some senders' garments gives the projection, other senders' garments the
score from which a garment is named. Imports no torch.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from preprocessing.errors import DataError, exit_status
from preprocessing.synthesis.garment_views import AGAIN, ELSEWHERE
from training.classification.described_garments import (
    ASKED,
    PICTURES,
    Described,
    HeldOut,
    describe,
    describe_held_out,
    parts,
)
from training.classification.teaching import Describer, load_finder
from training.inference.embedding import (
    NEAREST,
    Decision,
    EmbeddingSpace,
    cloth_features,
    write_space,
)
from training.inference.wardrobe import name_scores

GARMENTS = 600  # to learn from
VIEWS = (AGAIN, ELSEWHERE, ELSEWHERE, ELSEWHERE)  # of each to learn from
COMPONENTS, DIMENSIONS = 250, 96  # of cloth, before and after the discriminant analysis
KIND_DIMENSIONS = 64  # principal components of the last layer's input
UNDECIDED = Decision(slope=1.0, shift=0.0)
SHRINKAGE = 0.2  # of the covariance within garments to its diagonal
TAUGHT = 20  # garments in a wardrobe
ROUNDS = 20  # random wardrobes
FALSE = 0.002  # fraction of other garments that a wardrobe may name


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


def try_wardrobes(space: EmbeddingSpace, found: HeldOut) -> Trial:
    """Scores of a space in random wardrobes of TAUGHT garments."""
    rng, count = np.random.default_rng(0), len(found.taught)
    prototypes = [space.embed(one) for one in found.taught]
    embeddings, others = space.embed(found.asked.features), space.embed(found.others)
    own, rival, unknown = [], [], []
    for _ in range(ROUNDS):
        chosen = rng.choice(count, min(TAUGHT, count), replace=False)
        names = [prototypes[garment] for garment in chosen]
        rows = np.flatnonzero(np.isin(found.asked.garments, chosen) & ~found.asked.photos)
        scores = _scores(space, embeddings[rows], names)
        columns = np.argsort(chosen)[np.searchsorted(np.sort(chosen), found.asked.garments[rows])]
        places = np.arange(len(rows)), columns
        own.append(scores[places].copy())
        scores[places] = -np.inf
        rival.append(scores.max(axis=1))
        unknown.append(_scores(space, others, names).max(axis=1))
    return Trial(*map(np.concatenate, (own, rival, unknown)))


def _scores(
    space: EmbeddingSpace, embeddings: np.ndarray, names: Sequence[np.ndarray]
) -> np.ndarray:
    """Scores float32 (N, names) with the prototypes (P, D) of names."""
    return np.stack([name_scores(space, embeddings, one) for one in names], axis=1)


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


def _run(args: argparse.Namespace) -> int:
    photos = parts(args.photos, args.group_column)
    describer = Describer(args.model, threads=args.threads)
    find = load_finder(args.locator, threads=args.threads)
    learnt = describe(photos["training"][:GARMENTS], describer, VIEWS, title="to learn from")
    space = fit_space(learnt, first=cloth_features(describer.stem, describer.info))
    held_out = describe_held_out(photos["validation"], describer, find)
    decision = fit_decision(try_wardrobes(space, held_out))
    for title, change in (("again", AGAIN), ("elsewhere", ELSEWHERE)):
        views = [number for number, one in enumerate(ASKED, start=1) if one is change]
        trial = try_wardrobes(space, held_out.of(views))
        print(f"photographed {title}: {summary(trial, decision)}")
    path = write_space(replace(space, decision=decision), describer.stem)
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
