"""People followed from look to look, and what is done with them."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from realtime.analysis import pose_tracker
from realtime.analysis.fusion import bare_odds
from realtime.analysis.pose_tracker import People
from realtime.assemble import make_analysis
from realtime.settings import Recognition
from realtime.types import Region
from training.inference import pose_files as files
from training.inference.pose import JOINTS, Person, Square

IMAGE = np.zeros((100, 200, 3), np.uint8)
TOP = Region(np.float32((0, 0, 50, 50)), np.full((50, 50), 255, np.uint8), bare=0.1)


class Finder:
    """Finds people at given places, and sees each again where it is."""

    def __init__(self, *places: float):
        self.places, self.searches = list(places), 0

    def find(self, image):
        self.searches += 1
        return [Square(x, 50, 40, 0) for x in self.places]

    def mark(self, image, square):
        if not any(abs(square.x - x) < 5 for x in self.places):
            return None
        return Person(np.full((JOINTS, 2), 25, np.float32), np.ones(JOINTS, np.float32), square)


def test_people_are_followed_and_searched_for_when_lost():
    finder = Finder(40)
    seen = People(finder)
    for _ in range(pose_tracker.RENEWAL):
        (found,) = seen(IMAGE, [TOP])
    assert finder.searches == 1 and found.limbs == {"forearms": 1.0, "shins": 1.0}
    seen(IMAGE, [TOP])
    assert finder.searches == 2  # for others
    finder.places = []
    seen(IMAGE, [TOP])
    assert seen(IMAGE, [TOP])[0].limbs == {}
    assert finder.searches == 3


def test_newcomers_join_and_nobody_counts_twice():
    finder, marked = Finder(40), []
    finder.mark = lambda image, square, mark=finder.mark: (
        marked.append(square.x) or mark(image, square)
    )
    seen = People(finder)
    seen(IMAGE, [TOP])
    finder.places.append(150)
    for _ in range(pose_tracker.RENEWAL):
        marked.clear()
        seen(IMAGE, [TOP])
    assert marked == [40, 150]


def test_nobody_is_looked_for_where_nothing_is_worn():
    finder = Finder(40)
    lying = replace(TOP, bare=None)
    assert People(finder)(IMAGE, [lying]) == [lying] and finder.searches == 0


@pytest.mark.parametrize(
    ("limbs", "signs"),
    [
        ({}, {"forearms": -1}),
        ({"forearms": 0.0}, {"forearms": 1}),
        ({"forearms": 1.0, "shins": 1.0}, {"forearms": -1, "shins": -1}),
        ({"shins": 0.0}, {"forearms": -1, "shins": 1}),
    ],
)
def test_what_limbs_say(limbs, signs):
    odds = bare_odds(replace(TOP, limbs=limbs))
    assert {limb: np.sign(value) for limb, value in odds.items()} == signs
    assert bare_odds(replace(TOP, limbs=limbs, bare=None)) == {}


@pytest.mark.parametrize(
    "recognition",
    [
        Recognition(pose=True, locator="segment"),
        Recognition(pose=True, label_source="locator"),
        Recognition(pose=True, model="deep"),
    ],
)
def test_joints_need_the_parser_and_both_names(recognition):
    with pytest.raises(UsageError, match="--pose needs"):
        make_analysis(recognition)


def test_joints_that_are_not_installed(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    assert make_analysis(Recognition()).people is None
    assert "pose_files install" in caplog.text
    caplog.clear()
    make_analysis(Recognition(pose=False))
    make_analysis(Recognition(locator="whole"))
    assert "pose_files install" not in caplog.text
    with pytest.raises(WeightsError, match="pose_files install"):
        make_analysis(Recognition(pose=True))


@pytest.mark.skipif(
    not files.installed(), reason="no joints: python -m training.inference.pose_files install"
)
def test_joints_are_seen_by_default_where_garments_are_worn():
    assert make_analysis(Recognition()).people
    assert make_analysis(Recognition(pose=False)).people is None
