"""Scores of a parser: predictions of known masks, and the command on a split."""

import numpy as np

from preprocessing.datasets.masked_photos import masked_photos
from preprocessing.images.class_maps import (
    CLASSES,
    FIRST,
    UNKNOWN_PIXEL,
    Postprocessing,
    overlaps,
    pixel_pairs,
)
from preprocessing.images.person_crops import CropWindow
from preprocessing.images.regions import Person
from training import evaluate
from training.inference.people import ParsedPerson
from training.parsing.evaluate import score_parser


def scored(parse, photos):
    return score_parser(parse, photos, postprocessing=Postprocessing())


def test_overlaps_of_a_known_case():
    pixels = pixel_pairs(np.uint8([[0, 0, 1, UNKNOWN_PIXEL]]), np.uint8([[0, 1, 1, 2]]))
    assert pixels.sum() == 3 and pixels[0, 1] == 1
    found = overlaps(pixels)
    assert found[:2].tolist() == [0.5, 0.5] and np.isnan(found[2:]).all()


def test_scores_of_known_predictions(data):
    photos = masked_photos(data)["test"]

    def parser(*, right):
        """A parser that predicts the masks, or background everywhere."""
        masks = iter([photo.read()[1] for photo in photos])

        def parse(image):
            classes = next(masks) if right else np.zeros(image.shape[:2], np.uint8)
            return np.eye(len(CLASSES), dtype=np.float32)[classes].transpose(2, 0, 1)

        return parse

    good, blind = (scored(parser(right=right), photos) for right in (True, False))
    assert good.summary()["accuracy"] == good.summary()["layers_right"] == 1
    assert good.summary()["garments_f1"] == 1 and good.true == 4
    assert good.summary()["false_a_photo"] == 0
    assert blind.summary()["layers_right"] == blind.summary()["garments_f1"] == 0
    assert np.nanmax(overlaps(blind.confusion)[FIRST:]) == 0


def test_garments_on_unknown_pixels_are_ignored(data):
    image, truth = masked_photos(data)["test"][0].read()
    garment = np.where(truth >= FIRST, truth, 0)
    probabilities = np.eye(len(CLASSES), dtype=np.float32)[garment].transpose(2, 0, 1)

    class Suit:
        """The same person, in clothes that the masks do not divide into layers."""

        def read(self):
            return image, np.where(truth >= FIRST, UNKNOWN_PIXEL, truth)

    class Naked:
        """The same picture, without a garment."""

        def read(self):
            return image, np.where(truth >= FIRST, 0, truth)

    suit, naked = (scored(lambda _: probabilities, [kind()]) for kind in (Suit, Naked))
    assert suit.true == suit.found == 0 and suit.ignored == naked.found > 0
    assert naked.ignored == 0 and naked.summary()["false_a_photo"] == naked.found


def test_garments_are_those_of_people_where_people_are_found(data):
    photo = masked_photos(data)["test"][0]
    truth = photo.read()[1]
    height, width = truth.shape
    planes = np.eye(len(CLASSES), dtype=np.float32)[truth].transpose(2, 0, 1)
    sides = np.array((0, 0, width, height), float)
    wearer = ParsedPerson(
        Person(sides.astype(np.float32)), CropWindow(sides, (height, width)), planes
    )

    def blind(image):
        return np.eye(len(CLASSES), dtype=np.float32)[np.zeros_like(truth)].transpose(2, 0, 1)

    found, nobody = (
        score_parser(blind, [photo], postprocessing=Postprocessing(), people=lambda _, p=people: p)
        for people in ([wearer], [])
    )
    assert found.summary()["garments_f1"] == 1 and found.true > 0
    assert nobody.found == 0


def test_the_command_evaluates_the_test_split(run, data, tmp_path, capsys):
    command = ["--model", str(run / "parser.onnx"), "--data", str(data), "--out", str(tmp_path)]
    assert evaluate.main(command) == 0
    assert "in 2 photos" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.json", "parsed.png"}
    assert evaluate.main(command[:2]) == 2
    assert "give --data" in capsys.readouterr().err
