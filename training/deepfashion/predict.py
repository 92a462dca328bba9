"""What a DeepFashion network says of single pictures, for `training.predict`: rows and figures."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np
import torch
from torchvision.transforms.functional import ten_crop

from preprocessing.errors import SinkError
from preprocessing.images.network_input import resize_planes
from training.deepfashion.outputs import BOX, BRANCH, TYPE, Outputs
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

MARGIN = 8 / 7  # of a crop's side: so large is the picture that crops are taken from
RED = "#d62728"

# Names with probabilities, the likeliest first.
Ranking = list[tuple[str, float]]


@dataclass(frozen=True, eq=False)
class Guess:
    """What is said of one picture.

    Attributes:
        box: float (4,), x1 y1 x2 y2 in pixels.
        kind: upper, lower or full, or "" where the network knows no categories.
        rankings: by "category" or attribute type.
    """

    box: np.ndarray
    kind: str
    rankings: dict[str, Ranking]


class FashionPredictor:
    """A published DeepFashion network; call it with a BGR picture (H, W, 3).

    Classes are those of ten crops together (corners and middle, and their mirrors), the box that of
    the whole picture.

    Args:
        temperature: divisor of the logits; above 1 for less sure probabilities.
        top: names a ranking.
    """

    def __init__(self, stem: Path, info: WeightsInfo, *, temperature: float = 1.0, top: int = 3):
        self.info = info
        self._network, self._outputs = OpenVinoNetwork(stem), Outputs(info.attributes)
        self._temperature, self._top = temperature, top

    def __call__(self, image: np.ndarray) -> Guess:
        size = self.info.size
        whole = resize_planes(image, size)
        larger = torch.from_numpy(resize_planes(image, round(size * MARGIN)))
        crops = [crop.numpy() for crop in ten_crop(larger, size)]
        answer = torch.from_numpy(self._network(np.stack([whole, *crops])))
        sides = np.tile(image.shape[1::-1], 2)
        box = self._outputs.split(answer[:1])["box", BOX][0].numpy() * sides
        parts = self._outputs.split(answer[1:].mean(dim=0, keepdim=True))
        rankings, kind = {}, ""
        branches = self._outputs.of_kind(BRANCH)
        if branches:
            scores = self._outputs.category_scores(parts, temperature=self._temperature)
            codes = [code for branch in branches for code in branch.titles]
            rankings["category"] = self._ranked(codes, scores[0])
            kind = branches[int(parts["one", TYPE].argmax())].name
        for part in self._outputs.parts:
            logits = parts[part.kind, part.name][0] / self._temperature
            if part.kind == "several":
                rankings[part.name] = self._ranked(part.titles, logits.sigmoid())
            elif part in self._outputs.groups:
                rankings[part.name] = self._ranked(part.titles, logits.softmax(dim=0))
        return Guess(box, kind, rankings)

    def _ranked(self, titles: Iterable[str], scores: torch.Tensor) -> Ranking:
        titles, best = list(titles), scores.topk(min(self._top, len(scores)))
        return [(titles[int(k)], float(p)) for p, k in zip(*best, strict=True)]


def predict(
    predictor: FashionPredictor,
    pictures: Iterable[tuple[str, np.ndarray]],
    out: Path,
    *,
    figures: Path | None,
) -> int:
    """Write a row a picture, and a figure each into a folder; their count.

    Raises:
        SinkError: a file cannot be written.
    """
    count, writer = 0, None
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            for name, image in pictures:
                guess = predictor(image)
                row = {"filename": name, "type": guess.kind,
                       **dict(zip(("x1", "y1", "x2", "y2"), guess.box.round(1), strict=True)),
                       **{kind: "|".join(f"{title}:{p:.3f}" for title, p in ranking)
                          for kind, ranking in guess.rankings.items()}}  # fmt: skip
                if writer is None:
                    writer = csv.DictWriter(file, row)
                    writer.writeheader()
                writer.writerow(row)
                if figures:
                    figures.mkdir(parents=True, exist_ok=True)
                    target = figures / f"{Path(name).with_suffix('').as_posix().replace('/', '_')}"
                    draw(target.with_suffix(".png"), image, guess, title=name)
                count += 1
    except OSError as error:
        raise SinkError(f"cannot write {error.filename or out}: {error.strerror}") from error
    return count


def draw(path: Path, image: np.ndarray, guess: Guess, *, title: str) -> None:
    """The picture with its box, and bars for the rankings."""
    count = len(guess.rankings)
    columns = min(3, count)
    rows = -(-count // columns)
    figure = plt.figure(figsize=(4 + 3.2 * columns, max(3.5, 1.7 * rows)), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(4, 3.2 * columns))
    axes = left.subplots()
    axes.imshow(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    x1, y1, x2, y2 = guess.box
    axes.add_patch(plt.Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=RED, linewidth=2))
    axes.set_title(f"{title} {guess.kind}".strip(), fontsize=9)
    axes.axis("off")
    panels = right.subplots(rows, columns, squeeze=False).ravel()
    for panel, (kind, ranking) in zip(panels, guess.rankings.items(), strict=False):
        names, shares = zip(*reversed(ranking), strict=True)
        panel.barh(names, shares, color="#0072b2")
        panel.set_xlim(0, 1)
        panel.set_title(kind, fontsize=9)
        panel.tick_params(labelsize=7)
    for panel in panels[count:]:
        panel.axis("off")
    figure.savefig(path, dpi=90)
    plt.close(figure)
