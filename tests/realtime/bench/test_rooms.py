"""Scores of pipelines with known results on people in rooms, and on empty ones."""

import csv
import json
from dataclasses import replace

import cv2
import make
import numpy as np
import pytest

from realtime.bench import rooms
from realtime.bench.footage import PHOTO_FRAMES, Footage, read_empty
from realtime.bench.rooms import score_clip, score_empty
from realtime.bench.sheets import WorstPictures
from realtime.types import UNKNOWN, Person

TOP, LEGS, CURTAIN = (0, 0, 20, 20), (0, 20, 20, 40), (0, 0, 60, 40)


def garment(name, box=TOP):
    return make.garment(name, box=box)


def finding(*results):
    """A pipeline that finds the given garments frame by frame, and then the last ones for ever."""
    given = iter(results)
    last = []

    def analysis(frame, stats):
        last[:] = next(given, last)
        return list(last)

    return analysis


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=8)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([[garment("t-shirt"), garment("pants", LEGS)]],
         {"top": "right", "trousers": "right", "wrong_names": 0, "top_frames_right": 1}),
        ([[garment("top"), garment("lower body", LEGS)]],
         {"top": "general", "trousers": "general", "wrong_names": 0, "top_frames_right": 0}),
        ([[garment("longsleeve"), garment("shoes", LEGS)]],
         {"top": "wrong", "trousers": "none", "wrong_names": 2}),
        ([[garment("lower body")]], {"top": "none", "trousers": "general"}),
        ([[garment(UNKNOWN), garment("pants", LEGS)]], {"top": "none", "unknown": 0.5}),
        ([[]], {"top": "none", "trousers": "none", "unknown": None}),
        # Frames without a name do not vote: one of the other two decides.
        ([[garment("longsleeve")]] * 2 + [[garment("t-shirt")]] * 3 + [[]],
         {"top": "right", "wrong_names": 0.25, "top_frames_right": 3 / 8}),
        # A larger garment stands for the top; a second one of what is worn is no wrong name.
        ([[garment("t-shirt"), garment("dress", CURTAIN)]], {"top": "wrong", "wrong_names": 1}),
        ([[garment("t-shirt"), garment("t-shirt", CURTAIN)]],
         {"top": "right", "wrong_names": 0, "surplus_names": 1}),
    ],
)  # fmt: skip
def test_a_clip_of_a_t_shirt_and_trousers(video, results, expected):
    clip = Footage(video, ("t-shirt", "pants"))
    found = score_clip(clip, finding(*results), WorstPictures()).figures()
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_only_worn_garments_stand_for_the_wearer(video):
    shirt = garment("t-shirt")
    wearer = Person(np.array([0, 0, 20, 40], np.float32), number=1)
    worn = replace(shirt, region=replace(shirt.region, wearer=wearer))
    clip = Footage(video, ("t-shirt",))
    found = score_clip(clip, finding([worn, garment("dress", CURTAIN)]), WorstPictures()).figures()
    assert (found["top"], found["wrong_names"], found["people"]) == ("right", 1, 1)


def test_empty_rooms(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    make.clip(tmp_path / "b.mp4", frames=8)
    picture, clip = read_empty(tmp_path)
    found = score_empty(picture, finding([garment("top"), garment(UNKNOWN)], []), WorstPictures())
    assert (found.frames, found.named, found.found) == (PHOTO_FRAMES, 1, 2)
    assert score_empty(clip, finding([]), WorstPictures()).frames == 8


def test_the_command(tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make.clip(tmp_path / name / "a.mp4", frames=4)
        make.clip(tmp_path / name / "b.mp4", frames=4)
    rows = [(f"{folder}/{name}.mp4", "T-shirt/top") for folder in ("one", "two") for name in "ab"]
    index = tmp_path / "index.csv"
    with index.open("w", newline="") as file:
        csv.writer(file).writerows([("file", "labels"), *rows])
    flags = ["--clips", str(index), "--empty", str(tmp_path / "one"), "--locate", "none"]
    assert rooms.main([*flags, "--json", str(tmp_path / "a.json")]) == 0
    figures = json.loads((tmp_path / "a.json").read_text())
    assert figures["one, 2 clips"]["top"] == "2 none" and figures["all 4 clips"]["top"] == "4 none"
    assert figures["all 2 empty"] == {"frames": 8, "named": 0, "found": 0}
    assert "| two/b.mp4 | none |" in capsys.readouterr().out
    assert rooms.main([]) == 2
