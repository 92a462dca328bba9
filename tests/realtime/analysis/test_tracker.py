import numpy as np
import pytest

from preprocessing.images.regions import box_iou
from realtime.analysis.association import ASSOCIATORS, PATIENCE
from realtime.analysis.tracker import EAGER_VOTES, RENEWAL, Tracker
from realtime.types import Region

CLASSES = ("Dress", "Bag")
SURE_DRESS, SURE_BAG = [0.9, 0.1], [0.2, 0.8]


def new_tracker():
    return Tracker(CLASSES, threshold=0.5)


def region(x, y=0, side=10):
    box = np.array([x, y, x + side, y + side], np.float32)
    return Region(box, np.full((side, side), 255, np.uint8))


def tracks(tracker, *regions):
    return [track.number for track in tracker(list(regions))]


def votes(tracker, place, row):
    """Show one garment to the tracker, let it vote and tell the label."""
    (track,) = tracker([place])
    track.vote(np.array(row, np.float32))
    return track.garment().label


@pytest.mark.parametrize("name", ASSOCIATORS)
def test_every_associator_keeps_numbers(name):
    if name != "overlap":
        pytest.importorskip("trackers", reason="the optional library `trackers` is not installed")
    associate = ASSOCIATORS[name]()
    assert associate([]) == []
    first = associate([region(0, side=40), region(100, side=40)])
    assert len(set(first)) == 2 and min(first) > 0
    for step in range(1, 8):
        moved = [region(100 + 3 * step, side=40), region(2 * step, side=40)]
        assert associate(moved) == first[::-1]
    assert associate([region(16, side=40)]) == first[:1]
    assert associate([region(16, side=40), region(127, side=40)]) == first
    assert len({*first, *associate([region(16, side=40), region(300, side=40)])}) == 3


def test_nothing_in_nothing_out():
    assert new_tracker()([]) == []


def test_numbers_stay_with_moving_garments_in_any_order():
    tracker = new_tracker()
    assert tracks(tracker, region(0), region(50)) == [1, 2]
    assert tracks(tracker, region(52), region(2)) == [2, 1]
    assert tracks(tracker, region(4), region(100)) == [1, 3]


@pytest.mark.parametrize(("gap", "number"), [(PATIENCE - 1, 1), (PATIENCE + 1, 2)])
def test_a_short_absence_is_forgiven(gap, number):
    tracker = new_tracker()
    assert tracks(tracker, region(0)) == [1]
    for _ in range(gap):
        tracks(tracker)
    assert tracks(tracker, region(0)) == [number]


def test_one_odd_frame_does_not_change_the_label_but_many_do():
    tracker = new_tracker()
    for _ in range(10):
        assert votes(tracker, region(0), SURE_DRESS).name == "Dress"
    assert votes(tracker, region(0), SURE_BAG).name == "Dress"
    for _ in range(10):
        last = votes(tracker, region(0), SURE_BAG)
    assert last.name == "Bag" and 0.5 < last.probability <= 0.8


def test_a_label_gives_way_to_clear_evidence_only():
    tracker = new_tracker()
    for _ in range(5):
        votes(tracker, region(0), [0.52, 0.48])
    for _ in range(40):  # a little likelier: still the first name
        label = votes(tracker, region(0), [0.45, 0.55])
    assert label.name == "Dress"
    for _ in range(40):
        label = votes(tracker, region(0), [0.3, 0.7])
    assert label.name == "Bag"


def test_at_the_threshold_a_name_does_not_flicker():
    tracker = Tracker(("Dress", "Bag", "Coat"), threshold=0.5)
    steady = [0.53, 0.25, 0.22], [0.46, 0.28, 0.26]
    names = [votes(tracker, region(0), steady[n % 2]).name for n in range(30)]
    assert set(names) == {"Dress"}
    for _ in range(30):
        label = votes(tracker, region(0), [0.36, 0.33, 0.31])
    assert label.name == "unknown" and label.probability == pytest.approx(0.36, abs=0.01)


def test_a_class_for_what_is_no_garment_is_shown_as_unknown():
    tracker = Tracker(("Dress", "other"), threshold=0.5)
    assert votes(tracker, region(0), [0.1, 0.9]).name == "unknown"
    assert votes(Tracker(("Dress", "other"), threshold=0.5), region(0), [0.9, 0.1]).name == "Dress"


def test_the_first_frame_s_probability_is_the_network_s():
    label = votes(new_tracker(), region(0), SURE_DRESS)
    assert label.name == "Dress" and label.probability == pytest.approx(0.9, abs=1e-5)


def due_frames(tracker, places):
    """The indices of the frames in which the only garment is classified."""
    asked = []
    for index, place in enumerate(places):
        (track,) = tracker([place])
        if track.due:
            asked.append(index)
            track.vote(np.array(SURE_DRESS, np.float32))
    return asked


def test_a_still_garment_is_classified_now_and_then():
    first = list(range(EAGER_VOTES))
    renewed = [EAGER_VOTES - 1 + RENEWAL * n for n in (1, 2, 3)]
    assert due_frames(new_tracker(), [region(0)] * (renewed[-1] + 1)) == first + renewed


def test_a_garment_that_changes_is_classified_at_once():
    places = [region(0, side=100)] * 6 + [region(0, side=80)]
    assert due_frames(new_tracker(), places)[-1] == 6


def test_a_garment_that_only_moves_is_not_classified_more_often():
    still = due_frames(new_tracker(), [region(0)] * 12)
    assert due_frames(new_tracker(), [region(2 * step) for step in range(12)]) == still


def test_box_iou():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert box_iou(boxes[:1], boxes) == pytest.approx(np.array([[1, 1 / 3, 0]]), abs=1e-6)
    assert box_iou(boxes[:0], boxes).shape == (0, 3)
