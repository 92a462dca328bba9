"""Scores on composed crowds, of pipelines with known results."""

import json
from dataclasses import replace

import make
import numpy as np
import people
import pytest

from preprocessing.labels import LAYERS
from preprocessing.synthesis.crowds import Crowd, VisiblePerson
from realtime.bench import crowd
from realtime.bench.crowd import Counts, CrowdScorer, count_garments, figures, table
from realtime.types import UNKNOWN

SHIRT, JEANS = (10, 10, 50, 60), (10, 60, 50, 110)


def person(**garments):
    boxes = {layer: np.array(box, np.float32) for layer, box in garments.items()}
    return VisiblePerson(np.array((0, 0, 60, 120), np.float32), boxes)


def unnamed(layer, box):
    made = make.garment(UNKNOWN, box=box)
    scores = np.eye(len(LAYERS), dtype=np.float32)[LAYERS.index(layer)]
    return replace(made, region=replace(made.region, scores=scores))


ONE = person(top=SHIRT, trousers=JEANS)


@pytest.mark.parametrize(
    ("garments", "right"),
    [
        ([make.garment("t-shirt", box=SHIRT), make.garment("pants", box=JEANS)], 2),
        ([make.garment("longsleeve", box=SHIRT)], 1),  # the class does not count
        ([make.garment("top", box=SHIRT)], 1),
        ([make.garment("outwear", box=SHIRT)], 0),
        ([make.garment("t-shirt", box=JEANS)], 0),
        ([unnamed("top", SHIRT)], 1),
        ([unnamed("dress", SHIRT)], 0),
        ([make.garment("t-shirt", box=SHIRT)] * 2, 1),
        ([make.garment("t-shirt", box=(10, 10, 50, 35))], 1),  # IoU 0.5
        ([make.garment("t-shirt", box=(10, 10, 50, 34))], 0),
        ([], 0),
    ],
)
def test_garments_are_right_by_layer_and_place(garments, right):
    found = count_garments([ONE], garments)
    assert found == Counts(right, 2, len(garments), people=1, people_found=0)
    assert found.f1 == pytest.approx(2 * right / (2 + len(garments)))


def test_each_scene_has_an_analysis_of_its_own(tmp_path):
    made = []

    def new_analysis():
        made.append(0)
        return lambda frame, stats: [make.garment("t-shirt", box=SHIRT)] * frame.image[0, 0, 0]

    scenes = [Crowd(np.full((120, 60, 3), count, np.uint8), (ONE,)) for count in (1, 0)]
    score = CrowdScorer(new_analysis)
    assert score(scenes) == Counts(1, 4, 1, people=2)
    assert len(made) == 2
    score.worst.write(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size


def test_figures_are_of_all_seeds():
    counts = {"two": [Counts(1, 2, 2), Counts(2, 2, 2)]}
    assert figures(counts)["two"]["f1"] == 0.75
    assert figures(counts)["two"]["f1_by_seed"] == [0.5, 1.0]
    assert "| two | 0.75 | 0.50 | 1.00 | 3 | 4 | 4 | 0 | 0 |" in table(counts)


def test_the_command(tmp_path, capsys):
    folder, found = people.folder(tmp_path / "people"), tmp_path / "a.json"
    flags = ["--data", str(folder), "--locate", "none"]
    kinds = ["--scenes", "1", "--kinds", "alone,five", "--json", str(found)]
    assert crowd.main([*flags, *kinds]) == 0
    assert json.loads(found.read_text())["five"]["people"] == 5
    assert "2 people, 0 rooms" in capsys.readouterr().out
    assert crowd.main([*flags, "--kinds", "alone,six"]) == 2
    assert "unknown six" in capsys.readouterr().err
    assert crowd.main(["--data", str(tmp_path / "no")]) == 8
