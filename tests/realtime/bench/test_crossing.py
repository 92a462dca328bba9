"""Numbers of people who cross, of pipelines with known results."""

import json
from dataclasses import replace

import make
import numpy as np
import people
import pytest

from preprocessing.synthesis.crossings import CrossingFrame
from preprocessing.synthesis.crowds import VisiblePerson
from realtime.bench import crossing
from realtime.bench.crossing import Outcome, figures, score_crossing, table
from realtime.bench.sheets import WorstPictures
from realtime.types import Person

LEFT, RIGHT = np.array([[0, 0, 20, 60], [40, 0, 60, 60]], np.float32)
IMAGE = np.zeros((60, 60, 3), np.uint8)


def frames():
    """Three frames before the crossing, one amid it, three after it."""
    for phase in (-1, -1, -1, 0, 1, 1, 1):
        places = (RIGHT, LEFT) if phase == 1 else (LEFT, RIGHT)
        yield CrossingFrame(
            IMAGE.copy(), {who: VisiblePerson(box, {}) for who, box in enumerate(places)}, phase
        )


def finding(*numbers):
    """A pipeline with the numbers of who is left and right in each frame; 0 for nobody."""
    given = iter(numbers)

    def analysis(frame, stats):
        made = make.garment()
        found = zip(next(given), (LEFT + 1, RIGHT + 1), strict=True)
        return [
            replace(made, region=replace(made.region, wearer=Person(box, 1.0, number)))
            for number, box in found if number
        ]  # fmt: skip

    return analysis


@pytest.mark.parametrize(
    ("after", "switched", "renumbered", "lost"),
    [
        ((2, 1), False, False, False),
        ((1, 2), True, False, False),
        ((2, 3), False, True, False),
        ((3, 4), False, True, False),
        ((1, 3), True, True, False),
        ((2, 0), False, False, True),
        ((1, 0), True, False, True),
    ],
)
def test_outcomes(after, switched, renumbered, lost):
    analysis = finding(*[(1, 2)] * 3, (9, 9), *[after] * 3)
    found = score_crossing(frames(), analysis, WorstPictures())
    assert found == Outcome(switched, renumbered, lost)


def test_most_frames_decide_and_two_people_need_two_numbers():
    odd = finding((1, 2), (5, 2), (1, 2), (1, 2), (2, 1), (2, 1), (7, 1))
    assert score_crossing(frames(), odd, WorstPictures()) == Outcome(False, False, False)
    same = finding(*[(1, 1)] * 7)
    assert score_crossing(frames(), same, WorstPictures()) == Outcome(False, False, True)


def test_figures_are_fractions_of_clips():
    outcomes = [Outcome(True, False, False), Outcome(False, False, True)] * 2
    assert figures(outcomes) == {"switched": 0.5, "renumbered": 0.0, "lost": 0.5}
    assert "| 4 | 0.50 | 0.00 | 0.50 |" in table(outcomes)


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(crossing, "crossing", lambda **material: frames())
    folder, found = people.folder(tmp_path / "people"), tmp_path / "a.json"
    flags = ["--data", str(folder), "--seeds", "2", "--locate", "none", "--json", str(found)]
    assert crossing.main([*flags, "--sheet", str(tmp_path)]) == 0
    assert json.loads(found.read_text())["all"]["lost"] == 1
    assert (tmp_path / "crossing-1.png").exists()
    assert "| 2 | 0.00 | 0.00 | 1.00 |" in capsys.readouterr().out
    assert crossing.main(["--data", str(tmp_path / "no")]) == 8
