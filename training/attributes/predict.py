"""Predictions of a model of attributes for pictures: a table of its kind, and a sheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import imutils
import numpy as np

from preprocessing.datasets.attribute_table import MISSING_CODE, Attribute, codes_of
from preprocessing.errors import SinkError
from preprocessing.images.contact_sheets import contact_sheet
from preprocessing.images.pictures import write_image
from preprocessing.images.regions import NETWORK_INPUTS, whole_image
from training.attributes.settings import AttributePredictSettings
from training.common.prediction import Pictures, predict_pictures
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.probabilities import split_outputs
from training.inference.weights import WeightsInfo

BATCH = 16
SHEET, SHEET_SIDE = 48, 240  # pictures on the labelled sheet, and their side in pixels
COLUMNS = 8
LINE = 15  # pixels of a line of text


class AttributePredictor:
    """A published model of attributes; call it with pictures."""

    def __init__(self, stem: Path, info: WeightsInfo):
        self.info = info
        self._network, self._input = OpenVinoNetwork(stem), NETWORK_INPUTS[info.network_input]

    def __call__(self, images: list[np.ndarray]) -> np.ndarray:
        """The likeliest class of each attribute, int (N, attributes), of BGR pictures (H, W, 3)."""
        inputs = [self._input(image, whole_image(image), self.info.size) for image in images]
        logits = split_outputs(self._network(np.stack(inputs)), self.info.attributes)
        return np.stack([own.argmax(axis=1) for own in logits], axis=1)


def predict(settings: AttributePredictSettings) -> str:
    """Write the predictions for pictures, and return the text to print.

    Raises:
        DataError, SinkError, WeightsError: something cannot be read or written.
    """
    stem, info = weights.locate_for("attributes", settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    predictor, tiles = AttributePredictor(stem, info), []

    def write(pictures: Pictures) -> int:
        count, shown = write_rows(predictor, pictures, settings.out)
        tiles.extend(shown)
        return count

    text = predict_pictures(settings, write, images=settings.out_image)
    if settings.out_image and tiles:
        write_image(settings.out_image, contact_sheet(tiles, columns=min(COLUMNS, len(tiles))))
    return text


def write_rows(
    predictor: AttributePredictor, pictures: Pictures, out: Path
) -> tuple[int, list[np.ndarray]]:
    """Write a row a picture, and return their count and labelled tiles of the first ones.

    Raises:
        SinkError: the file cannot be written.
    """
    attributes, count = predictor.info.attributes, 0
    tiles: list[np.ndarray] = []
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["filename", *(attribute.name for attribute in attributes)])
            for batch in _batches(pictures, BATCH):
                predicted = predictor([image for _, image in batch])
                for (name, image), classes in zip(batch, predicted, strict=True):
                    writer.writerow([name, *codes_of(attributes, classes)])
                    if len(tiles) < SHEET:
                        tiles.append(_labelled_tile(image, _lines(attributes, classes)))
                count += len(batch)
    except OSError as error:
        raise SinkError(f"cannot write {out}: {error.strerror}") from error
    return count, tiles


def _batches(
    pictures: Iterable[tuple[str, np.ndarray]], size: int
) -> Iterator[list[tuple[str, np.ndarray]]]:
    """Lists of `size` pictures, the last one shorter."""
    rest = iter(pictures)
    while batch := list(islice(rest, size)):
        yield batch


def _lines(attributes: Sequence[Attribute], classes: np.ndarray) -> list[str]:
    titles = [one.titles[number] for one, number in zip(attributes, classes, strict=True)]
    return [
        f"{one.name}: {'unknown' if title == MISSING_CODE else title}"
        for one, title in zip(attributes, titles, strict=True)
    ]


def _labelled_tile(image: np.ndarray, lines: list[str]) -> np.ndarray:
    """A picture in a square tile with lines of text below."""
    tile = np.full((SHEET_SIDE + LINE * len(lines) + 4, SHEET_SIDE, 3), 32, np.uint8)
    wide = image.shape[1] >= image.shape[0]
    small = imutils.resize(image, **{"width" if wide else "height": SHEET_SIDE})
    left = (SHEET_SIDE - small.shape[1]) // 2
    tile[: small.shape[0], left : left + small.shape[1]] = small
    for number, line in enumerate(lines, start=1):
        cv2.putText(tile, line, (4, SHEET_SIDE + LINE * number - 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4,
                    (255, 255, 255), 1, cv2.LINE_AA)  # fmt: skip
    return tile
