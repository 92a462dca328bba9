"""Views of composed scenes of people: crops and frames with a class for every pixel.

A crop's classes are those of the person in its middle; the pixels of all others are OTHER_PERSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from preprocessing.images.class_maps import CLASSES
from preprocessing.images.person_crops import CropWindow
from preprocessing.synthesis.people.rendering import (
    NOBODY,
    Item,
    Rendered,
    Scene,
    render,
)
from preprocessing.synthesis.people.scenes import Materials, SceneMaker

OTHER_PERSON = len(CLASSES)  # the class of all pixels of people who are not in a crop's middle
SIDE, STRIDE = 320, 32  # pixels of an upright crop's height, of which sides are multiples
# Height and width of views, relative to that: crops of people, the narrowest first, and frames.
TALL, UPRIGHT, SQUARE, FRAME = (1.0, 0.5), (1.0, 0.7), (0.8, 0.8), (0.8, 1.0)
FIRST_SHAPE = (0.55, 0.35, 0.1)  # how often a crop is at least as wide as each of its shapes
# Fractions of scenes: people composed, photos as they are, single garments, nobody.
KINDS = {"composed": 0.6, "own": 0.2, "single": 0.12, "empty": 0.08}
CROPS_EACH = 3  # crops of a scene at most
WHOLE = 0.3  # fraction of the scenes of one person that are viewed as a frame, too
LEAST_SHOWN = 0.02  # fraction of a crop's pixels that show the person in its middle
LEAST_SIDES = (14, 40)  # pixels of a person's shorter and longer side in the frame
MARGINS = (1.0, 1.45)  # range of a crop's sides over those of the person's box
STEADY, LOOSE = 0.03, 0.09  # deviations of boxes, as fractions of their sides; half of them each
LARGE = 0.4  # of a crop's height: what hangs so large in its middle is as good as a single garment


@dataclass(frozen=True, eq=False)
class View:
    """An example for a parser: BGR uint8 (H, W, 3), classes uint8 (H, W) up to OTHER_PERSON."""

    image: np.ndarray
    classes: np.ndarray


def shapes_of(side: int) -> tuple[tuple[int, int], ...]:
    """The shapes (height, width) TALL, UPRIGHT, SQUARE and FRAME in pixels."""

    def whole(fraction: float) -> int:
        return max(1, round(fraction * side / STRIDE)) * STRIDE

    return tuple((whole(height), whole(width)) for height, width in (TALL, UPRIGHT, SQUARE, FRAME))


class ViewComposer:
    """Random views; the same materials and generator give the same ones.

    Args:
        side: height of upright crops in pixels.
    """

    def __init__(self, materials: Materials, rng: np.random.Generator, *, side: int = SIDE):
        self._maker, self._rng = SceneMaker(materials, rng), rng
        *self._shapes, self._wide = shapes_of(side)

    def __iter__(self) -> Iterator[View]:
        """Views without end."""
        makers = [self._composed, self._own, self._single, self._empty]
        while True:
            yield from makers[int(self._rng.choice(len(makers), p=list(KINDS.values())))]()

    def crops(self) -> Iterator[View]:
        """Crops of composed people without end."""
        while True:
            yield from self._crops(self._maker.composed())

    def _composed(self) -> Iterator[View]:
        scene = self._maker.composed()
        yield from self._crops(scene)
        yield from self._frame_of_one(scene)

    def _own(self) -> Iterator[View]:
        scene = self._maker.own()
        yield from self._crops(scene, only=0)
        yield from self._frame_of_one(scene)

    def _single(self) -> Iterator[View]:
        yield self._frame(self._maker.single(), self._shapes[-1])

    def _empty(self) -> Iterator[View]:
        """A frame, or a crop as large as one of a person."""
        rng, scene = self._rng, self._maker.empty(hanging=0.6)
        if rng.random() < 0.4:
            yield self._frame(scene)
            return
        height = scene.size[1] * rng.uniform(0.25, 0.9)
        half = np.array([height * rng.uniform(0.35, 0.9), height]) / 2
        lowest = max(scene.size[1] - half[1], half[1] + 1)
        middle = rng.uniform((0, half[1]), (scene.size[0], lowest))
        box = np.concatenate([middle - half, middle + half])
        window = CropWindow.around(box, shapes=self._shapes)
        if not any(_fills(item, window.sides) for item in scene.items):
            found = self._render(scene, window.sides, window.shape)
            yield View(found.image, found.classes)

    def _crops(self, scene: Scene, *, only: int | None = None) -> Iterator[View]:
        """Crops of a few of a scene's people, or of one."""
        people = scene.people if only is None else [only]
        for number in self._rng.permutation(people)[:CROPS_EACH]:
            box = np.clip(scene.items[number].box, 0, np.tile(scene.size, 2))
            shorter, longer = np.sort(box[2:] - box[:2])
            if shorter >= LEAST_SIDES[0] and longer >= LEAST_SIDES[1]:
                yield from self._crop(scene, int(number), box)

    def _crop(self, scene: Scene, number: int, box: np.ndarray) -> Iterator[View]:
        """The crop of a person, whose box is as inaccurate as a detector's; none if hidden."""
        rng = self._rng
        sides = np.tile(box[2:] - box[:2], 2)
        box = box + rng.normal(0, STEADY if rng.random() < 0.5 else LOOSE, 4) * sides
        shapes = self._shapes[int(rng.choice(len(FIRST_SHAPE), p=FIRST_SHAPE)) :]
        window = CropWindow.around(box, shapes=shapes, margin=rng.uniform(*MARGINS))
        found = self._render(scene, window.sides, window.shape)
        if (found.owners == number).mean() < LEAST_SHOWN:
            return
        found = found.bent(scene.camera.bend)
        others = (found.owners != number) & (found.owners != NOBODY)
        classes = np.where(others, OTHER_PERSON, found.classes).astype(np.uint8)
        yield View(found.image, classes)

    def _frame_of_one(self, scene: Scene) -> Iterator[View]:
        if len(scene.people) == 1 and self._rng.random() < WHOLE:
            yield self._frame(scene)

    def _frame(self, scene: Scene, shape: tuple[int, int] | None = None) -> View:
        """The whole frame, black beside it where it is narrower than the shape."""
        if shape is None:
            shape = self._wide if scene.size[0] >= scene.size[1] else self._shapes[1]
        size, aspect = np.array(scene.size, float), shape[1] / shape[0]
        half = np.array([max(size[0], size[1] * aspect), max(size[1], size[0] / aspect)]) / 2
        found = self._render(scene, np.concatenate([size / 2 - half, size / 2 + half]), shape)
        return View(found.image, found.classes)

    def _render(self, scene: Scene, window: np.ndarray, shape: tuple[int, int]) -> Rendered:
        return render(scene, window, shape, seed=int(self._rng.integers(1 << 30)))


def _fills(item: Item, window: np.ndarray) -> bool:
    """True for an item that is large in the middle of a window."""
    x1, y1, x2, y2 = item.box
    middle = (window[0] + window[2]) / 2
    return y2 - y1 > LARGE * (window[3] - window[1]) and x1 < middle < x2
