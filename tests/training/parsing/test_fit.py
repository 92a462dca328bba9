"""Parsers: views and their masks, figures, and a whole run on drawn people."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from preprocessing.builders.layer_boxes import LabelledPhoto
from preprocessing.images.class_maps import CLASSES, FIRST, UNKNOWN_PIXEL, overlaps, pixel_pairs
from preprocessing.labels import LAYERS
from realtime.analysis.network_locators import ParserLocator
from training import evaluate, export, fit
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.data import classes_in_boxes, parsed_people, random_view, reground, whole_view
from training.parsing.evaluate import judge
from training.parsing.fit import class_weights, dice_loss
from training.parsing.network import Parser

NAMES = {0: "null", 1: "skin", 2: "t-shirt", 3: "jeans"}
COLOURS = np.array([(200, 210, 190), (150, 180, 230), (40, 40, 200), (160, 60, 30)], np.uint8)


def person(rng, *, size=(96, 160)):
    """A drawn figure with its mask: head, top and trousers, somewhere on plain ground."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    x, y = int(rng.integers(20, width - 50)), int(rng.integers(5, 30))
    cv2.circle(mask, (x + 15, y + 8), 8, 1, cv2.FILLED)
    cv2.rectangle(mask, (x, y + 18), (x + 30, y + 60), 2, cv2.FILLED)
    cv2.rectangle(mask, (x + 3, y + 61), (x + 27, y + 115), 3, cv2.FILLED)
    image = COLOURS[mask].astype(int) + rng.integers(-10, 10, (height, width, 1))
    return np.clip(image, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parsed")
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    rows = "".join(f"{value},{name},1\n" for value, name in NAMES.items())
    (folder / "labels.csv").write_text("id,name,photos\n" + rows)
    rng = np.random.default_rng(0)
    for number in (*range(1, 13), 640, 641, 701, 702):
        image, mask = person(rng)
        cv2.imwrite(str(folder / "photos" / f"{number:04d}.jpg"), image)
        cv2.imwrite(str(folder / "masks" / f"{number:04d}.png"), mask)
    return folder


def test_a_view_and_its_classes_stay_together():
    rng = np.random.default_rng(1)
    image, mask = person(rng)
    for _ in range(20):
        view, classes = random_view(image, mask, rng, size=64)
        assert view.shape == (64, 64, 3) and classes.shape == (64, 64)
        inner = cv2.erode((classes == 2).astype(np.uint8), np.ones((5, 5))).astype(bool)
        if inner.any():  # what the mask calls a top is red
            assert np.abs(view[inner].mean(axis=0) - COLOURS[2]).max() < 25


def test_another_ground_leaves_people_as_they_are():
    rng = np.random.default_rng(2)
    image, mask = person(rng, size=(160, 160))
    mask[:, :4] = UNKNOWN_PIXEL
    before = mask.copy()
    view = reground(image, mask, np.full((160, 160, 3), 90, np.uint8))
    body = cv2.erode((before == 2).astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert np.abs(view[body].astype(int) - image[body]).max() <= 2
    assert (mask[:, :4] == 0).all()  # what was outside the photo is ground now


def test_a_whole_photo_is_padded_with_what_is_no_class():
    image, mask = person(np.random.default_rng(3))
    view, classes = whole_view(image, mask, size=64)
    assert view.shape == (64, 64, 3)
    assert (classes[:, 38:] == UNKNOWN_PIXEL).all() and (classes[:, :38] != UNKNOWN_PIXEL).all()


def test_boxes_check_what_a_teacher_paints():
    top, dress, bag = (LAYERS.index(name) for name in ("top", "dress", "bag"))
    likely = np.zeros((len(CLASSES), 80, 80), np.float32)
    likely[0] = 0.2
    likely[FIRST + top, 10:30, 10:30] = 0.3
    likely[FIRST + dress, 10:50, 10:30] = 0.4  # the photo has no dress
    boxes = np.array([[40, 40, 120, 120], [240, 240, 280, 280]], np.float32)
    photo = LabelledPhoto(Path("a.jpg"), "train", (top, bag), boxes, 320, 320)
    classes = classes_in_boxes(likely, photo)
    assert classes.shape == (320, 320)
    assert (classes[45:115, 45:115] == FIRST + top).all()
    assert (classes[130:190, 50:110] == UNKNOWN_PIXEL).all()  # a garment, but whose?
    assert (classes[245:275, 245:275] == UNKNOWN_PIXEL).all()  # the bag that nobody painted
    assert classes[300, 20] == 0


def test_overlaps_of_a_known_case():
    pixels = pixel_pairs(np.uint8([[0, 0, 1, UNKNOWN_PIXEL]]), np.uint8([[0, 1, 1, 2]]))
    assert pixels.sum() == 3 and pixels[0, 1] == 1
    found = overlaps(pixels)
    assert found[:2].tolist() == [0.5, 0.5] and np.isnan(found[2:]).all()


def test_rare_classes_weigh_more():
    weights_ = class_weights(torch.tensor([1000, 10, 0]))
    assert weights_[0] < weights_[1] < weights_[2] and weights_.mean() == pytest.approx(1, abs=0.01)


def test_the_overlaps_loss_of_known_cases():
    target = torch.tensor([[[0, 1, UNKNOWN_PIXEL]]])
    sure = 50.0 * torch.eye(3)[None, :, None, :]  # says classes 0, 1 and 2 of the three pixels
    assert dice_loss(sure, target).item() == pytest.approx(0)  # the unknown one does not count
    wrong = sure.flip(1)  # says 2, 1 and 0
    assert dice_loss(wrong, target).item() == pytest.approx(0.5)


def test_the_frozen_stem_and_the_statistics_stay_as_they_are():
    network = Parser(len(CLASSES), 64)
    network.freeze(5)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    network(torch.full((2, 3, 64, 64), 200, dtype=torch.uint8)).square().mean().backward()
    optimizer.step()
    changed = {name for name, tensor in network.backbone.state_dict().items()
               if not torch.equal(tensor, before[name])}  # fmt: skip
    assert any("_blocks.5." in name for name in changed)
    early = [f"_blocks.{number}." for number in range(5)]
    assert not any(part in name for part in (*early, "_conv_stem", "running") for name in changed)


def test_the_network_answers_on_a_quarter_grid():
    network = Parser(len(CLASSES), 64).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 64, 96, dtype=torch.uint8)).shape == (1, 11, 16, 24)


def train(data, out, *flags):
    command = ["--model", "parser", "--data", str(data), "--out", str(out), "--image-size", "64"]
    return fit.main([*command, "--batch-size", "4", "--epochs", "1", *flags])


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    from dataclasses import replace

    from training.parsing import settings

    small = replace(settings.PARSERS["parser"], images=8)
    folder = tmp_path_factory.mktemp("runs") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.PARSERS, "parser", small)
        assert train(data, folder) == 0
    return folder


def test_a_run_is_complete(run, tmp_path):
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.json", "metrics.csv", "report.md", "report.json", "parsed.png",
                     "best.ckpt", "parser.onnx", "parser.safetensors"}  # fmt: skip
    figures = json.loads((run / "report.json").read_text())
    assert 0 <= figures["mean_iou"] <= 1 and figures["photos"] == 2
    assert 0 <= figures["garments_f1"] <= 1
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "parser.safetensors")
    assert info.task == "parse" and info.classes == CLASSES


# The file is in half precision.
@pytest.mark.parametrize(("start", "off"), [(".", 1e-5), ("parser.safetensors", 1e-3)])
def test_a_run_starts_from_another(run, data, tmp_path, start, off):
    still = ["--lr", "1e-9", "--backbone-lr", "1e-9", "--init", str(run / start)]
    assert train(data, tmp_path / "next", *still) == 0
    before, after = (
        torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]["network.head.weight"]
        for folder in (run, tmp_path / "next")
    )
    assert torch.allclose(before, after, atol=off)


def test_it_is_judged_on_the_held_out_block(run, data, tmp_path, capsys):
    command = ["--model", str(run / "parser.onnx"), "--data", str(data), "--out", str(tmp_path)]
    assert evaluate.main(command) == 0
    assert "in 2 photos" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.json", "parsed.png"}
    assert evaluate.main(command[:2]) == 2
    assert "give --data" in capsys.readouterr().err


def test_figures_of_known_answers(data):
    people = parsed_people(data)["test"]

    def answering(right):
        """A parser that knows the masks, or sees nothing."""
        answers = iter([one.read()[1] for one in people])

        def parse(image):
            classes = next(answers) if right else np.zeros(image.shape[:2], np.uint8)
            return np.eye(len(CLASSES), dtype=np.float32)[classes].transpose(2, 0, 1)

        return parse

    good, blind = (judge(answering(right), people) for right in (True, False))
    assert good.summary()["accuracy"] == good.summary()["layers_right"] == 1
    assert (
        good.summary()["garments_f1"] == 1
        and good.true == 4
        and good.summary()["false_a_photo"] == 0
    )
    assert blind.summary()["layers_right"] == blind.summary()["garments_f1"] == 0
    assert np.nanmax(overlaps(blind.pixels)[FIRST:]) == 0


def test_garments_where_the_masks_name_none_are_not_judged(data):
    one = parsed_people(data)["test"][0]
    image, truth = one.read()
    garment = np.where(truth >= FIRST, truth, 0)
    answer = np.eye(len(CLASSES), dtype=np.float32)[garment].transpose(2, 0, 1)

    class Suit:
        """The same person, in what the masks do not part into layers."""

        def read(self):
            return image, np.where(truth >= FIRST, UNKNOWN_PIXEL, truth)

    class Naked:
        """The same picture, without a garment."""

        def read(self):
            return image, np.where(truth >= FIRST, 0, truth)

    suit, naked = (judge(lambda _: answer, [kind()]) for kind in (Suit, Naked))
    assert suit.true == suit.found == 0 and suit.unjudged == naked.found > 0
    assert naked.unjudged == 0 and naked.summary()["false_a_photo"] == naked.found


def test_the_locator_takes_frames_of_any_size(run):
    info = weights.read_info(run / "parser.safetensors")
    locate = ParserLocator(openvino_parser(run / "parser", info))
    assert locate.info.classes == LAYERS
    for shape in ((96, 64, 3), (48, 64, 3), (100, 333, 3)):
        for region in locate(np.full(shape, 128, np.uint8)):
            assert region.scores.shape == (len(LAYERS),)
            assert 0 <= region.box[0] < region.box[2] <= shape[1]
    assert CLASSES[FIRST:] == LAYERS


@pytest.mark.parametrize(
    ("flags", "words"),
    [(["--teacher", "parser"], "--boxed DIR and --teacher"), (["--image-size", "100"], "multiple")],
)
def test_flags_that_do_not_fit(data, tmp_path, capsys, flags, words):
    assert train(data, tmp_path / "run", *flags) == 2
    assert words in capsys.readouterr().err
