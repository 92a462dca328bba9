"""Crops of single garments out of composed scenes of people, as the live app crops them."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.builders.garment_crops import random_square
from preprocessing.images.class_maps import FIRST, PERSON
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region, square_crop, without_specks
from preprocessing.labels import LAYERS, OTHER
from preprocessing.synthesis.cameras import random_camera
from preprocessing.synthesis.people.rendering import NOBODY, Item, Rendered, Scene, render
from preprocessing.synthesis.people.rooms import cloth, drawn_room
from preprocessing.synthesis.people.scenes import FRAMES, Materials, SceneMaker
from preprocessing.synthesis.people.sprites import Sprite

SHOWN = 0.6  # fraction of a garment's pixels in view; of less, sleeves and legs may be unseen
MIN_SIDE, MIN_FILL = 28, 0.4  # pixels of its longer side; fraction of its box that it covers
JITTER = 0.04  # deviation of a box's sides, as fractions of its size: a parser's box is inaccurate
MIN_CONTRAST = 8  # deviation of a crop's values; darker ones show nothing
MOST_SIDE = 256  # pixels of a crop; larger ones are shrunk
# Fractions kept of what more scenes show than T-shirts.
RARELY = {"outwear": 0.6, "dress": 0.7, "shirt": 0.8, "skirt": 0.5, "pants": 0.35, "shoes": 0.2}
OTHERS = 0.07  # fraction of scenes that give squares without garments, too
HEAD, FACE = 0.2, 0.6  # of a person's height from above; fraction of a square with skin or hair
PLACES, PLACE_SIDES = 3, (0.15, 0.9)  # squares of a place; range of their sides, over its height
NOTHING = Sprite(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))  # hung in empty rooms


@dataclass(frozen=True, eq=False)
class LabelledCrop:
    """A crop BGR uint8 (h, w, 3) and its class."""

    image: np.ndarray
    label: str


class GarmentComposer:
    """Random crops of garments; the same materials and generator give the same ones."""

    def __init__(self, materials: Materials, rng: np.random.Generator):
        self._maker, self._rng = SceneMaker(materials, rng), rng

    def __iter__(self) -> Iterator[LabelledCrop]:
        """Crops without end."""
        while True:
            yield from self.of(self._maker.composed(), others=self._rng.random() < OTHERS)

    def of(self, scene: Scene, *, others: bool = False) -> Iterator[LabelledCrop]:
        """The garments of a scene's people; with `others` squares without garments, too."""
        found = self._frame(scene)
        for number in scene.people:
            yield from self._worn(scene.items[number], found, number)
        if others:
            yield from self._heads(scene, found)
            yield from self._places()

    def _frame(self, scene: Scene) -> Rendered:
        """The frame as the camera gives it."""
        width, height = scene.size
        seed = int(self._rng.integers(1 << 30))
        found = render(scene, scene.window, (height, width), seed=seed)
        return found.bent(scene.camera.bend)

    def _worn(self, item: Item, found: Rendered, number: int) -> Iterator[LabelledCrop]:
        """The garments of the person `number` that are in view and whose class is known."""
        mine = found.owners == number
        x, y, width, height = cv2.boundingRect(mine.astype(np.uint8))
        if not width:
            return
        part = np.s_[y : y + height, x : x + width]
        mine = mine[part]
        for layer, label in item.sprite.labels.items():
            if self._rng.random() >= RARELY.get(label, 1.0):
                continue
            value = FIRST + LAYERS.index(layer)
            region = Region.from_mask(without_specks(mine & (found.classes[part] == value)))
            if region is not None and _is_shown(region, item, value):
                crop = self._cropped(found.image, region.box + np.array([x, y, x, y]))
                if crop.std() >= MIN_CONTRAST:
                    yield LabelledCrop(crop, label)

    def _cropped(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """The square crop around a box that is as inaccurate as a parser's."""
        sides = np.tile(box[2:] - box[:2], 2)
        limits = np.tile(image.shape[1::-1], 2).astype(np.float32)
        moved = np.clip(box + self._rng.normal(0, JITTER, 4) * sides, 0, limits)
        return shrunk(square_crop(image, Region.from_box(moved.astype(np.float32))))

    def _heads(self, scene: Scene, found: Rendered) -> Iterator[LabelledCrop]:
        """Squares of skin and hair in the heads of people."""
        for number in scene.people:
            box = np.clip(scene.items[number].box, 0, np.tile(scene.size, 2))
            x1, y1, x2, y2 = box.astype(int)
            part = np.s_[y1 : y1 + round(HEAD * (y2 - y1)), x1:x2]
            skin = (found.owners[part] == number) & (found.classes[part] == PERSON)
            if min(skin.shape) < MIN_SIDE:
                continue
            allowed = skin | (found.owners[part] == NOBODY)
            square = random_square(skin, FACE, self._rng, allowed=allowed)
            if square is not None:
                yield LabelledCrop(shrunk(found.image[part][square]), OTHER)

    def _places(self) -> Iterator[LabelledCrop]:
        """Squares of a place without people and garments: walls, curtains, beds."""
        rng, sizes = self._rng, list(FRAMES)
        size = sizes[int(rng.integers(len(sizes)))]
        ground = self._ground()
        height, width = ground.shape[:2]
        scale = max(size[0] / width, size[1] / height)
        scene = Scene(size, random_camera(rng), ground, np.array([[scale, 0, 0], [0, scale, 0]]))
        image = self._frame(scene).image
        for _ in range(PLACES):
            side = max(MIN_SIDE, round(rng.uniform(*PLACE_SIDES) * min(size)))
            x, y = (int(rng.integers(limit - side + 1)) for limit in size)
            yield LabelledCrop(shrunk(image[y : y + side, x : x + side]), OTHER)

    def _ground(self) -> np.ndarray:
        rng, materials = self._rng, self._maker.materials
        if materials.grounds and rng.random() < 0.5:
            return read_picture(materials.grounds[int(rng.integers(len(materials.grounds)))])
        chosen = rng.integers(len(materials.garments), size=4)
        cloths = [cloth(materials.garments[int(index)].read()) for index in chosen]
        return drawn_room(rng, cloths=cloths, garments=[NOTHING])


def _is_shown(region: Region, item: Item, value: int) -> bool:
    """True if a garment is large enough, and most of it is in view.

    Args:
        value: of the garment's pixels in the item's sprite.
    """
    sprite, visible = item.sprite, int((region.mask > 0).sum())
    pixels = int(((sprite.classes == value) & (sprite.solid > 0)).sum())
    whole = pixels * abs(float(np.linalg.det(item.place[:, :2])))
    large = max(region.mask.shape) >= MIN_SIDE and visible >= MIN_FILL * region.mask.size
    return large and visible >= SHOWN * whole


def shrunk(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) whose longer side is MOST_SIDE at most."""
    scale = MOST_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
