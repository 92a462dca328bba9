"""Random scenes: how many people, who is what, and the same ones for the same seed."""

import numpy as np
import pytest

from preprocessing.synthesis.people.placement import PEOPLE, random_places
from preprocessing.synthesis.people.rendering import render
from preprocessing.synthesis.people.scenes import FRAMES, SceneMaker


def test_one_to_six_people_have_places():
    counts, rng = set(), np.random.default_rng(0)
    for _ in range(200):
        places = random_places((640, 480), rng)
        counts.add(len(places))
        assert all(place.height > 0.1 * 480 for place in places)
        assert all(place.foot >= 480 for place in places if place.near)
    assert counts == set(range(1, 1 + len(PEOPLE)))


def test_composed_scenes_are_of_people(materials):
    maker = SceneMaker(materials, np.random.default_rng(1))
    scenes = [maker.composed() for _ in range(30)]
    assert all(1 <= len(scene.people) <= 6 and scene.size in FRAMES for scene in scenes)
    assert any(len(scene.items) > len(scene.people) for scene in scenes)  # hanging, obstacles


def test_a_photo_as_it_is_comes_first(materials):
    maker = SceneMaker(materials, np.random.default_rng(1))
    for _ in range(10):
        photo, *others = maker.own().items
        assert photo.whole and photo.person and not any(item.whole for item in others)


@pytest.mark.parametrize("hanging", [0.0, 1.0])
def test_nobody_is_in_empty_scenes(materials, hanging):
    maker = SceneMaker(materials, np.random.default_rng(1))
    for _ in range(5):
        scene = maker.empty(hanging=hanging)
        assert not scene.people and bool(scene.items) == bool(hanging)


def test_the_seed_decides(materials):
    def drawn(seed):
        scene = SceneMaker(materials, np.random.default_rng(seed)).composed()
        return render(scene, scene.window, (96, 128), seed=0).image

    assert (drawn(3) == drawn(3)).all() and (drawn(3) != drawn(4)).any()
