"""Postprocessing fitted to predictions with known garments."""

import numpy as np

from preprocessing.errors import DataError
from preprocessing.images.class_maps import BACKGROUND, CLASSES, FIRST, Postprocessing
from preprocessing.labels import LAYERS
from training.parsing import fit_postprocessing
from training.parsing.fit_postprocessing import ParsedExample, f1, fit

TOP, HAT = (FIRST + LAYERS.index(name) for name in ("top", "hat"))


def example(predicted, *, truth):
    """A photo of 80 x 60 cells and pixels, from rectangles (class, x1, y1, x2, y2, score)."""
    classes = np.full((60, 80), BACKGROUND, np.uint8)
    for label, x1, y1, x2, y2 in truth:
        classes[y1:y2, x1:x2] = label
    probabilities = np.full((len(CLASSES), 60, 80), 0.01, np.float32)
    probabilities[BACKGROUND] = 0.5
    for label, x1, y1, x2, y2, score in predicted:
        probabilities[:, y1:y2, x1:x2] = 0.01
        probabilities[label, y1:y2, x1:x2] = score
    return ParsedExample(probabilities, classes)


DIVIDED = example(
    [(TOP, 10, 10, 30, 24, 0.9), (TOP, 10, 28, 30, 42, 0.9), (HAT, 50, 10, 60, 20, 0.7)],
    truth=[(TOP, 10, 10, 30, 42)],
)


def test_pieces_are_joined_and_false_garments_removed(capsys):
    assert f1([DIVIDED], Postprocessing()) < 0.5
    fitted = fit([DIVIDED])
    assert f1([DIVIDED], fitted) == 1
    assert "F1 1.0000" in capsys.readouterr().out


def test_neutral_settings_remain_where_nothing_improves():
    whole = example([(TOP, 10, 10, 30, 40, 0.9)], truth=[(TOP, 10, 10, 30, 40)])
    assert fit([whole]) == Postprocessing()


def test_without_validation_photos_there_is_nothing_to_fit(monkeypatch, capsys):
    monkeypatch.setattr(fit_postprocessing, "masked_photos", lambda folder: {"validation": []})
    assert fit_postprocessing.main(["--data", "photos"]) == DataError.status
    assert "no photos of the validation split" in capsys.readouterr().err
