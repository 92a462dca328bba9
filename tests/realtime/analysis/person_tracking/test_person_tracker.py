"""People keep their numbers when they cross, hide, leave and come back; images are made here."""

import numpy as np
import pytest

from realtime.analysis.person_tracking.person_tracker import PersonTracker
from realtime.types import Person, Region

HEIGHT, WIDTH = 240, 320
TALL, WIDE, FEET = 180, 60, 230  # of a person, in pixels; y of the feet
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)
RATE = 8  # detections a second
RED, BLUE, GREEN, BLACK, WHITE = (
    np.array(colour) for colour in
    ((40, 40, 200), (200, 80, 30), (60, 160, 60), (25, 25, 25), (230, 230, 230))
)  # fmt: skip
TOP, TROUSERS = 0, 3  # of LAYERS
ANN, BEN = (RED, BLACK), (BLUE, WHITE)  # colours of top and trousers


class Scene:
    """A tracker and a clock; people are given as (middle, clothes), the ones in front last."""

    def __init__(self):
        self.tracker, self.time, self.noise = PersonTracker(), 0.0, np.random.default_rng(0)

    def wait(self, seconds):
        self.time += seconds

    def detect(self, *people, hidden=()):
        """The numbers of the people, of whom those in `hidden` are painted but not detected."""
        image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        owners = np.full((HEIGHT, WIDTH), -1)
        for index, (x, clothes) in enumerate(people):
            for (x1, y1, x2, y2), colour in zip(spans(x), clothes, strict=True):
                image[y1:y2, x1:x2], owners[y1:y2, x1:x2] = colour, index
        image = np.clip(image + self.noise.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
        regions = [
            garment
            for index, (x, _) in enumerate(people)
            if index not in hidden
            for garment in garments(x, owners == index)
        ]
        found = self.tracker(image, regions, self.time)
        self.time += 1 / RATE
        return [region.wearer.number for region in found[::2]]


def spans(x):
    """The boxes of top and trousers of a person with the middle at x, cut off by the border."""
    x1, x2 = max(0, round(x - WIDE / 2)), min(WIDTH, round(x + WIDE / 2))
    return (x1, FEET - 150, x2, FEET - 90), (x1, FEET - 90, x2, FEET - 10)


def garments(x, visible):
    """A detected person's two garments, whose masks cover what is visible, bool (H, W)."""
    boxes = spans(x)
    wearer = Person(np.array((boxes[0][0], FEET - TALL, boxes[0][2], FEET), np.float32), 0.9)
    found = []
    for (x1, y1, x2, y2), layer in zip(boxes, (TOP, TROUSERS), strict=True):
        mask = np.where(visible[y1:y2, x1:x2], 255, 0).astype(np.uint8)
        box = np.array((x1, y1, x2, y2), np.float32)
        found.append(Region(box, mask, np.eye(9, dtype=np.float32)[layer], wearer=wearer))
    return found


def walk(first, last, *, seconds):
    return np.linspace(first, last, round(seconds * RATE) + 1)


@pytest.mark.parametrize("other", [BEN, ANN], ids=["other clothes", "the same clothes"])
@pytest.mark.parametrize("seconds", [1.5, 4])
def test_people_who_cross_keep_their_numbers(other, seconds):
    scene = Scene()
    assert scene.detect((40, ANN), (280, other)) == [1, 2]
    for x in walk(40, 280, seconds=seconds)[1:]:
        behind = abs(2 * x - WIDTH) < WIDE / 2
        found = scene.detect((x, ANN), (WIDTH - x, other), hidden=[0] if behind else [])
        if not behind or other is BEN:  # who of two alike is in front cannot be seen
            assert found == ([2] if behind else [1, 2])


def test_people_who_meet_and_turn_back_keep_their_numbers():
    scene = Scene()
    for x in (*walk(60, 160, seconds=1.5), *walk(160, 60, seconds=1.5)):
        behind = x > 150
        found = scene.detect((x, ANN), (WIDTH - x, BEN), hidden=[0] if behind else [])
        assert found == ([2] if behind else [1, 2])


def test_people_who_swap_places_slowly_keep_their_numbers():
    scene = Scene()
    for x in walk(100, 220, seconds=8):
        behind = abs(2 * x - WIDTH) < WIDE / 2
        found = scene.detect((x, ANN), (WIDTH - x, BEN), hidden=[0] if behind else [])
        assert found == ([2] if behind else [1, 2])


@pytest.mark.parametrize("clothes", [BEN, ANN], ids=["other clothes", "the same clothes"])
def test_a_person_hidden_for_two_seconds_keeps_the_number(clothes):
    scene = Scene()
    for x in walk(40, 120, seconds=2):
        assert scene.detect((x, ANN), (160, clothes)) == [1, 2]
    for _ in range(2 * RATE):
        assert scene.detect((150, ANN), (160, clothes), hidden=[0]) == [2]
    for x in walk(200, 280, seconds=2):
        assert scene.detect((x, ANN), (160, clothes)) == [1, 2]


def test_a_scene_cut_ends_all_and_numbers_go_on():
    scene = Scene()
    assert scene.detect((60, ANN), (200, BEN)) == [1, 2]
    scene.tracker.start_scene()
    assert scene.detect((60, ANN), (200, BEN)) == [3, 4]


def test_newcomers_get_new_numbers():
    scene = Scene()
    assert scene.detect((60, ANN)) == [1]
    assert scene.detect((60, ANN), (260, (GREEN, BLACK))) == [1, 2]
    for _ in range(RATE):
        scene.detect((60, ANN))
    assert scene.detect((60, ANN), (160, BEN)) == [1, 3]
    scene.wait(60)
    assert scene.detect((60, ANN)) == [4]  # nobody is remembered for a minute


def leave(scene, clothes, *, away):
    for x in walk(160, 340, seconds=2):
        scene.detect(*[(x, clothes)] if x < 330 else [])
    scene.wait(away)


def test_who_comes_back_in_the_same_clothes_is_recognised():
    scene = Scene()
    leave(scene, ANN, away=6)
    assert [scene.detect((x, ANN)) for x in walk(10, 100, seconds=1)] == [[1]] * 9
    leave(scene, ANN, away=6)
    assert scene.detect((30, BEN)) == [2]
    assert scene.detect((30, BEN), (160, ANN)) == [2, 1]


def test_nobody_is_recognised_whose_clothes_two_people_wear():
    scene = Scene()
    for _ in range(3):
        assert scene.detect((60, ANN), (260, ANN)) == [1, 2]
    scene.wait(6)
    assert scene.detect((160, ANN)) == [3]


def test_who_is_cut_off_by_the_border_keeps_the_number():
    scene = Scene()
    for x in (*walk(200, 315, seconds=2), *walk(315, 200, seconds=2)):
        assert scene.detect((80, BEN), (x, ANN)) == [1, 2]


def test_only_wearers_change_and_are_shared():
    tracker, image = PersonTracker(), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    lying = Region.from_box(np.array((0, 0, 40, 40), np.float32))
    assert tracker(image, [lying], 0.0) == [lying] and tracker(image, [], 0.1) == []
    top, trousers = garments(100, EVERYWHERE)
    first, same, second = tracker(image, [top, lying, trousers], 0.2)
    assert same is lying and first.wearer is second.wearer
    assert (first.wearer.number, first.wearer.box is top.wearer.box) == (1, True)
    assert top.wearer.number == 0 and first.mask is top.mask


def test_garments_without_layers_leave_the_place_to_decide():
    tracker, image = PersonTracker(), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for step in range(8):
        region, _ = garments(100 + 8 * step, EVERYWHERE)
        plain = Region(region.box, region.mask, wearer=region.wearer)
        (found,) = tracker(image, [plain], step / RATE)
        assert found.wearer.number == 1
