"""Frames of composed scenes with a box around what is visible of each person."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from preprocessing.images.class_maps import BACKGROUND
from preprocessing.synthesis.people.rendering import Item, Scene, after, render, view_of
from preprocessing.synthesis.people.scenes import Materials, SceneMaker
from preprocessing.synthesis.people.sprites import Sprite

# Fractions of scenes: people composed, photos as they are, nobody. Photos that may show strangers,
# some two thirds of them, are left out: 66, 21 and 13 % of the frames remain.
KINDS = {"composed": 0.46, "own": 0.45, "empty": 0.09}
HANGING = 0.65  # fraction of the empty frames with hanging garments
LYING = 0.3  # fraction of the empty frames that are photos of a lying garment
CLOSER, CLOSER_SIDES = 0.5, (0.55, 1.0)  # fraction of photos as they are, of which a part is shown
MIN_SIDE = 32  # pixels of a frame
MIN_HEIGHT, MIN_WIDTH = 12, 5  # pixels of a box in the frame as drawn
MIN_VISIBLE = 0.25  # fraction of a person's pixels in the frame that nothing hides
MIN_INSIDE = 0.1  # fraction of a person's pixels that are in the frame
MIN_PIECE = 0.02  # fraction of a person's visible pixels; smaller pieces do not count
STRANGERS = 0.001  # fraction of a photo's pixels that may be of a class beside the person
NEAR = 9  # pixels around a person, of which the classes may be the person's


@dataclass(frozen=True, eq=False)
class BoxedFrame:
    """An example for a detector of people.

    Attributes:
        image: BGR uint8 (H, W, 3).
        boxes: float32 (N, 4), x1 y1 x2 y2 in pixels, half-open, around what is visible of a person.
    """

    image: np.ndarray
    boxes: np.ndarray


class FrameComposer:
    """Random frames; the same materials and generator give the same ones.

    Args:
        side: longer side of the frames in pixels.
    """

    def __init__(self, materials: Materials, rng: np.random.Generator, *, side: int):
        self._maker, self._rng, self._side = SceneMaker(materials, rng), rng, side

    def frame(self) -> BoxedFrame:
        """The next frame; people too small or too hidden for a box are left out of the picture."""
        while True:
            scene, window = self._scene()
            found = self._boxed(scene, window) if scene is not None else None
            if found is not None:
                return found

    def _scene(self) -> tuple[Scene | None, np.ndarray]:
        """A scene and the part of it to show; None for a photo with strangers."""
        rng, maker = self._rng, self._maker
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "own":
            scene, window = alone(maker.own()), np.array([0.0, 0.0, 1.0, 1.0])
            if rng.random() < CLOSER:
                sides = rng.uniform(*CLOSER_SIDES, 2)
                corner = rng.uniform(0, 1, 2) * (1 - sides)
                window = np.concatenate([corner, corner + sides])
            return scene, window * np.tile(scene.size, 2) if scene else window
        if kind == "composed":
            scene = maker.composed()
        elif rng.random() < LYING:
            scene = maker.single()
            scene = replace(scene, items=[replace(item, person=False) for item in scene.items])
        else:
            scene = maker.empty(hanging=HANGING)
        return scene, scene.window

    def _boxed(self, scene: Scene, window: np.ndarray) -> BoxedFrame | None:
        """The frame without the people who have no box; None if a photo's own person has none."""
        sides = window[2:] - window[:2]
        width, height = np.maximum(MIN_SIDE, np.round(sides * self._side / sides.max()))
        shape, seed = (int(height), int(width)), int(self._rng.integers(1 << 30))
        while True:
            found = render(scene, window, shape, seed=seed).bent(scene.camera.bend)
            image, owners = found.image, found.owners
            view = view_of(window, shape)
            boxes = {k: visible_box(scene.items[k], owners == k, view) for k in scene.people}
            hidden = {k for k, box in boxes.items() if box is None and (owners == k).any()}
            if any(scene.items[k].whole for k in hidden):
                return None
            if not hidden:
                kept = [box for box in boxes.values() if box is not None]
                return BoxedFrame(image, np.array(kept, np.float32).reshape(-1, 4))
            items = [item for k, item in enumerate(scene.items) if k not in hidden]
            scene = replace(scene, items=items)


def alone(scene: Scene) -> Scene | None:
    """A scene whose first item is a photo, with the cut-out's pixels as those of its person.

    None if the photo may show strangers: masks by hand leave them out, computed ones do not.
    """
    photo, *others = scene.items
    sprite = photo.sprite
    person = cv2.dilate(sprite.solid, np.ones((NEAR, NEAR), np.uint8))
    if sprite.exact or ((sprite.classes != BACKGROUND) & (person == 0)).mean() > STRANGERS:
        return None
    return replace(
        scene, items=[replace(photo, sprite=Sprite(sprite.image, sprite.solid)), *others]
    )


def visible_box(item: Item, shown: np.ndarray, view: np.ndarray) -> np.ndarray | None:
    """The box float32 (4,) around a person's visible pixels; None where they are too few.

    Args:
        shown: bool (H, W), True where the frame shows the person.
        view: float64 (2, 3), the map from the scene's pixels to the frame's.
    """
    place = after(view, item.place)
    inside = cv2.warpAffine(item.sprite.solid, place, shown.shape[::-1], flags=cv2.INTER_NEAREST)
    everywhere = float(item.sprite.solid.sum()) * abs(float(np.linalg.det(place[:, :2])))
    within, visible = int(inside.sum()), int(shown.sum())
    if visible < MIN_VISIBLE * within or within < MIN_INSIDE * everywhere:
        return None
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
    large = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= MIN_PIECE * visible)
    x, y, width, height = cv2.boundingRect(np.isin(pieces, large).astype(np.uint8))
    if height < MIN_HEIGHT or width < MIN_WIDTH:
        return None
    return np.array([x, y, x + width, y + height], np.float32)
