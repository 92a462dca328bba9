"""Predictions of a DeepFashion network for pictures: a CSV row and a figure each."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torchvision.transforms.functional import ten_crop

from preprocessing.errors import SinkError
from preprocessing.images.regions import resize_planes
from training.common.prediction import Pictures, predict_pictures
from training.deepfashion.network import BOX, TYPE, Outputs
from training.deepfashion.settings import FashionPredictSettings
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

MARGIN = 8 / 7  # side of the picture that crops are taken from, in units of a crop's
RED, BLUE = "#d62728", "#0072b2"

# Names with probabilities, the likeliest first.
Ranking = list[tuple[str, float]]


@dataclass(frozen=True, eq=False)
class FashionPrediction:
    """The prediction for one picture.

    Attributes:
        box: float (4,), x1 y1 x2 y2 in pixels.
        type: upper, lower or full, or "" where the network knows no categories.
        rankings: by "category" or type of attribute.
    """

    box: np.ndarray
    type: str
    rankings: dict[str, Ranking]

    def row(self) -> dict[str, object]:
        """Columns of a CSV file."""
        sides = dict(zip(("x1", "y1", "x2", "y2"), self.box.round(1), strict=True))
        texts = {name: "|".join(f"{title}:{p:.3f}" for title, p in ranking)
                 for name, ranking in self.rankings.items()}  # fmt: skip
        return {"type": self.type, **sides, **texts}


class FashionPredictor:
    """A published DeepFashion network; call it with a BGR picture (H, W, 3).

    Classes are those of ten crops together (corners and centre, and their mirrors), the box that of
    the whole picture.

    Args:
        temperature: divisor of the logits; above 1 for smoother probabilities.
        top: names a ranking.
    """

    def __init__(self, stem: Path, info: WeightsInfo, *, temperature: float = 1.0, top: int = 3):
        self.info = info
        self._network, self._outputs = OpenVinoNetwork(stem), Outputs(info.attributes)
        self._temperature, self._top = temperature, top

    def __call__(self, image: np.ndarray) -> FashionPrediction:
        size, outputs = self.info.size, self._outputs
        whole = resize_planes(image, size)
        larger = torch.from_numpy(resize_planes(image, round(size * MARGIN)))
        crops = [crop.numpy() for crop in ten_crop(larger, size)]
        rows = torch.from_numpy(self._network(np.stack([whole, *crops])))
        box = outputs.split(rows[:1])["box", BOX][0].numpy() * np.tile(image.shape[1::-1], 2)
        parts = outputs.split(rows[1:].mean(dim=0, keepdim=True))
        rankings, kind = {}, ""
        if outputs.branches:
            probabilities = outputs.category_probabilities(parts, temperature=self._temperature)
            titles = [title for branch in outputs.branches for title in branch.titles]
            rankings["category"] = self._ranked(titles, probabilities[0])
            kind = outputs.branches[int(parts["one", TYPE].argmax())].name
        for part in (*outputs.multi_label, *outputs.groups):
            logits = parts[part.kind, part.name][0] / self._temperature
            several = part in outputs.multi_label
            probabilities = logits.sigmoid() if several else logits.softmax(dim=0)
            rankings[part.name] = self._ranked(part.titles, probabilities)
        return FashionPrediction(box, kind, rankings)

    def _ranked(self, titles: Sequence[str], probabilities: torch.Tensor) -> Ranking:
        best = probabilities.topk(min(self._top, len(probabilities)))
        return [(titles[int(k)], float(p)) for p, k in zip(*best, strict=True)]


def predict(settings: FashionPredictSettings) -> str:
    """Write the predictions for pictures, and return the text to print.

    Raises:
        DataError, SinkError, WeightsError: something cannot be read or written.
    """
    stem, info = weights.locate_for("deepfashion", settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    predictor = FashionPredictor(stem, info, temperature=settings.temperature, top=settings.top_k)
    return predict_pictures(
        settings,
        lambda pictures: write_rows(predictor, pictures, settings.out, figures=settings.out_image),
        images=settings.out_image,
    )


def write_rows(
    predictor: FashionPredictor, pictures: Pictures, out: Path, *, figures: Path | None
) -> int:
    """Write a row a picture, and a figure each into a folder, and return their count.

    Raises:
        SinkError: a file cannot be written.
    """
    count, writer = 0, None
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            for name, image in pictures:
                prediction = predictor(image)
                row = {"filename": name, **prediction.row()}
                if writer is None:
                    writer = csv.DictWriter(file, list(row))
                    writer.writeheader()
                writer.writerow(row)
                if figures:
                    figures.mkdir(parents=True, exist_ok=True)
                    flat = Path(name).with_suffix("").as_posix().replace("/", "_")
                    draw(figures / f"{flat}.png", image, prediction, title=name)
                count += 1
    except OSError as error:
        raise SinkError(f"cannot write {error.filename or out}: {error.strerror}") from error
    return count


def draw(path: Path, image: np.ndarray, prediction: FashionPrediction, *, title: str) -> None:
    """Write a figure of the picture with its box, and bars for the rankings."""
    columns = min(3, len(prediction.rankings))
    rows = -(-len(prediction.rankings) // columns)
    figure = plt.figure(figsize=(4 + 3.2 * columns, max(3.5, 1.7 * rows)), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(4, 3.2 * columns))[0]
    axes = left.subplots()
    axes.imshow(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    x1, y1, x2, y2 = prediction.box
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, color=RED, linewidth=2))
    axes.set_title(f"{title} {prediction.type}".strip(), fontsize=9)
    axes.axis("off")
    panels = right.subplots(rows, columns, squeeze=False).ravel()
    for panel, (name, ranking) in zip(panels, prediction.rankings.items(), strict=False):
        _draw_bars(panel, name, ranking)
    for panel in panels[len(prediction.rankings) :]:
        panel.axis("off")
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _draw_bars(panel: Axes, title: str, ranking: Ranking) -> None:
    names, probabilities = zip(*reversed(ranking), strict=True)
    panel.barh(names, probabilities, color=BLUE)
    panel.set_xlim(0, 1)
    panel.set_title(title, fontsize=9)
    panel.tick_params(labelsize=7)
