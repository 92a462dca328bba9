"""Tracks: which garment keeps its ID, and which label its votes make."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from realtime.analysis.trackers import PATIENCE
from realtime.analysis.tracks import FIRST_VOTES, INTERVAL, TrackManager
from realtime.types import Person, Region
from training.inference.name_tree import NameCalibration

CLASSES = ("Dress", "Bag")
SURE_DRESS, SURE_BAG = [0.9, 0.1], [0.2, 0.8]


def new_tracks():
    return TrackManager(CLASSES, threshold=0.5)


def region(x, y=0, side=10):
    box = np.array([x, y, x + side, y + side], np.float32)
    return Region(box, np.full((side, side), 255, np.uint8))


def ids(manager, *regions):
    return [track.track_id for track in manager(list(regions))]


def votes(manager, place, row):
    """The label after one garment at a place voted."""
    (track,) = manager([place])
    track.vote(np.array(row, np.float32))
    return track.garment().label


def test_nothing_in_nothing_out():
    assert new_tracks()([]) == []


def test_numbers_stay_with_moving_garments_in_any_order():
    manager = new_tracks()
    assert ids(manager, region(0), region(50)) == [1, 2]
    assert ids(manager, region(52), region(2)) == [2, 1]
    assert ids(manager, region(4), region(100)) == [1, 3]


@pytest.mark.parametrize(("gap", "number"), [(PATIENCE - 1, 1), (PATIENCE + 1, 2)])
def test_a_short_absence_is_forgiven(gap, number):
    manager = new_tracks()
    assert ids(manager, region(0)) == [1]
    for _ in range(gap):
        ids(manager)
    assert ids(manager, region(0)) == [number]


def test_one_odd_frame_does_not_change_the_label_but_many_do():
    manager = new_tracks()
    for _ in range(10):
        assert votes(manager, region(0), SURE_DRESS).name == "Dress"
    assert votes(manager, region(0), SURE_BAG).name == "Dress"
    for _ in range(10):
        last = votes(manager, region(0), SURE_BAG)
    assert last.name == "Bag" and 0.5 < last.probability <= 0.8


def test_a_label_gives_way_to_clear_evidence_only():
    manager = new_tracks()
    for _ in range(5):
        votes(manager, region(0), [0.52, 0.48])
    for _ in range(40):  # a little likelier: still the first name
        label = votes(manager, region(0), [0.45, 0.55])
    assert label.name == "Dress"
    for _ in range(40):
        label = votes(manager, region(0), [0.3, 0.7])
    assert label.name == "Bag"


def test_at_the_threshold_a_name_does_not_flicker():
    manager = TrackManager(("Dress", "Bag", "Coat"), threshold=0.5)
    steady = [0.53, 0.25, 0.22], [0.46, 0.28, 0.26]
    names = [votes(manager, region(0), steady[n % 2]).name for n in range(30)]
    assert set(names) == {"Dress"}
    for _ in range(30):
        label = votes(manager, region(0), [0.36, 0.33, 0.31])
    assert label.name == "unknown" and label.probability == pytest.approx(0.36, abs=0.01)


@pytest.mark.parametrize("kinds", [True, False])
def test_what_is_no_garment_is_not_shown(kinds):
    manager = TrackManager(("Dress", "other"), threshold=0.5, kinds=kinds)
    found = replace(region(0), scores=np.ones(1, np.float32))
    for row, shown in (([0.1, 0.9], False), ([0.9, 0.1], True)):
        for _ in range(FIRST_VOTES):
            label = votes(manager, found, row)
        (track,) = manager([found])
        assert track.is_garment == shown and label.known == shown


@pytest.mark.parametrize(("kinds", "worn", "shown"), [(False, True, False), (False, False, True),
                                                       (True, True, True)])  # fmt: skip
def test_of_worn_garments_at_least_the_part_of_the_body_is_sure(kinds, worn, shown):
    manager = TrackManager(TOPS, threshold=0.5, kinds=kinds)
    found = replace(region(0), scores=np.ones(1, np.float32),
                    wearer=Person(np.zeros(4, np.float32)) if worn else None)  # fmt: skip
    assert votes(manager, found, [0.24, 0.24, 0.47, 0.05]).name == "unknown"
    assert manager([found])[0].is_garment == shown


@pytest.mark.parametrize(("probability", "name"), [(0.55, "top"), (0.65, "t-shirt")])
def test_the_kind_of_a_worn_garment_has_to_be_surer(probability, name):
    manager = TrackManager(TOPS, threshold=0.5)
    worn = replace(region(0), wearer=Person(np.zeros(4, np.float32)), bare=0.1)
    row = [probability, 0.9 - probability, 0.05, 0.05]
    assert votes(manager, worn, row).name == name
    assert votes(TrackManager(TOPS, threshold=0.5), region(0), row).name == "t-shirt"


def test_what_a_locator_without_scores_finds_is_always_shown():
    manager = TrackManager(("Dress", "other"), threshold=0.5)
    assert votes(manager, region(0), [0.1, 0.9]).name == "unknown"
    assert manager([region(0)])[0].is_garment


def test_a_new_track_is_shown_until_something_speaks_against_it():
    (track,) = TrackManager(("Dress", "other"), threshold=0.5)([region(0)])
    assert track.is_garment and track.garment().label.name == "unknown"


TOPS = ("t-shirt", "longsleeve", "pants", "other")


def names(*rows, kinds=False):
    """The labels after each of some votes for one garment."""
    manager = TrackManager(TOPS, threshold=0.5, kinds=kinds)
    return [votes(manager, region(0), row) for row in rows]


def test_a_doubtful_kind_gets_the_name_that_is_sure():
    doubtful = [0.45, 0.35, 0.15, 0.05]
    (label,) = names(doubtful)
    assert label.name == "top" and label.probability == pytest.approx(0.8, abs=1e-4)
    path = {"garment": 0.95, "upper body": 0.8, "top": 0.8, "t-shirt": 0.45}
    assert [name for name, _ in label.path] == list(path)
    assert dict(label.path) == pytest.approx(path, abs=1e-4)
    (label,) = names(doubtful, kinds=True)
    assert label.name == "unknown" and label.probability == pytest.approx(0.45, abs=1e-4)
    assert dict(label.path) == pytest.approx(path, abs=1e-4)
    (label,) = names([0.8, 0.1, 0.05, 0.05], kinds=True)
    assert label.name == "t-shirt" and label.path[-1][0] == "t-shirt"


def test_a_garment_of_no_part_of_the_body_is_unknown():
    (label,) = names([0.24, 0.24, 0.47, 0.05])
    assert label.name == "unknown" and label.probability == label.path[-1][1]
    (label,) = names([0.0, 0.0, 0.1, 0.9])
    assert label.name == "unknown" and dict(label.path) == pytest.approx({"other": 0.9}, abs=0.01)


def test_names_do_not_flicker_between_a_kind_and_the_name_above_it():
    sure, unsure = [0.53, 0.4, 0.05, 0.02], [0.45, 0.5, 0.03, 0.02]
    assert {one.name for one in names(*[sure, unsure] * 15)} == {"t-shirt"}
    last = [one.name for one in names(*[sure] * 5, *[[0.35, 0.45, 0.15, 0.05]] * 20)]
    assert last[0] == "t-shirt" and last[-1] == "top"
    assert sum(a != b for a, b in pairwise(last)) == 1
    back = [one.name for one in names(*[unsure] * 5, *[sure] * 20)]
    assert back[0] == "longsleeve" and set(back[1:]) <= {"longsleeve", "top"}


def test_worn_garments_are_calibrated_by_themselves():
    calibration = NameCalibration(worn={"kind": (1.0, -1.0)})
    for bare, expected in ((None, "t-shirt"), (0.0, "top")):
        manager = TrackManager(TOPS, threshold=0.5, calibration=calibration)
        place = replace(region(0), bare=bare)
        assert votes(manager, place, [0.6, 0.3, 0.05, 0.05]).name == expected


def test_the_label_is_always_on_its_path():
    rng = np.random.default_rng(0)
    for kinds in (True, False):
        for label in names(*rng.dirichlet(np.full(4, 0.5), 60), kinds=kinds):
            assert label.name == "unknown" or (label.name, label.probability) in label.path


def test_a_track_whose_name_is_settled_is_not_classified_more_often():
    """Though the kind under the name changes with every vote."""
    (track,) = TrackManager(TOPS, threshold=0.5)([region(0)])
    for number in range(FIRST_VOTES):
        kinds = [[0.46, 0.44], [0.44, 0.46]][number % 2]
        track.vote(np.array([*kinds, 0.05, 0.05], np.float32))
    assert track.garment().label.name == "top" and track.settled
    track.vote(np.array([0.2, 0.15, 0.6, 0.05], np.float32))
    assert not track.settled


def test_the_first_frame_s_probability_is_the_network_s():
    label = votes(new_tracks(), region(0), SURE_DRESS)
    assert label.name == "Dress" and label.probability == pytest.approx(0.9, abs=1e-5)


def due_frames(manager, places):
    """The indices of the frames in which the only garment is classified."""
    asked = []
    for index, place in enumerate(places):
        (track,) = manager([place])
        if track.due:
            asked.append(index)
            track.vote(np.array(SURE_DRESS, np.float32))
    return asked


def test_a_still_garment_is_classified_now_and_then():
    first = list(range(FIRST_VOTES))
    renewed = [FIRST_VOTES - 1 + INTERVAL * n for n in (1, 2, 3)]
    assert due_frames(new_tracks(), [region(0)] * (renewed[-1] + 1)) == first + renewed


def test_a_garment_that_changes_is_classified_at_once():
    places = [region(0, side=100)] * 6 + [region(0, side=80)]
    assert due_frames(new_tracks(), places)[-1] == 6


def test_a_garment_that_only_moves_is_not_classified_more_often():
    still = due_frames(new_tracks(), [region(0)] * 12)
    assert due_frames(new_tracks(), [region(2 * step) for step in range(12)]) == still
