"""Views for a parser: shapes, and classes of the person in the middle alone."""

from itertools import islice

import numpy as np

from preprocessing.images.class_maps import FIRST
from preprocessing.synthesis.people.rendering import Item
from preprocessing.synthesis.people.scenes import SceneMaker
from preprocessing.synthesis.people.views import OTHER_PERSON, ViewComposer, shapes_of


def test_shapes_are_multiples_of_the_stride():
    assert shapes_of(320) == ((320, 160), (320, 224), (256, 256), (256, 320))
    assert shapes_of(64) == ((64, 32), (64, 32), (64, 64), (64, 64))


def test_views_have_known_shapes_and_classes(materials):
    views = list(islice(ViewComposer(materials, np.random.default_rng(0)), 40))
    for view in views:
        assert view.image.shape == (*view.classes.shape, 3) and view.classes.shape in shapes_of(320)
        assert view.classes.max() <= OTHER_PERSON
    assert any((view.classes == OTHER_PERSON).any() for view in views)
    assert any(not view.classes.any() for view in views)  # empty places


def test_a_crop_has_the_classes_of_one_person(materials, monkeypatch):
    """Two people side by side: in each one's crop the other is OTHER_PERSON."""
    maker = SceneMaker(materials, np.random.default_rng(5))
    scene = maker.empty(hanging=0.0)
    for x in (0.4, 0.5):
        sprite = materials.people[0].read()
        scale = 0.8 * scene.size[1] / sprite.box[3]
        shift = x * scene.size[0] - scale * sprite.box[0], -scale * (sprite.box[1] - 20)
        scene.items.append(
            Item(sprite, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), True)
        )
    monkeypatch.setattr(SceneMaker, "composed", lambda self: scene)
    views = list(islice(ViewComposer(materials, np.random.default_rng(0)).crops(), 4))
    for view in views:
        assert view.classes.shape in shapes_of(320)[:3]
        assert (view.classes == OTHER_PERSON).any()
        middle = view.classes[:, view.classes.shape[1] // 2]
        assert ((middle >= FIRST) & (middle < OTHER_PERSON)).any()
