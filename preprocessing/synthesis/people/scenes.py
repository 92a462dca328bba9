"""Scenes of people to learn from: who stands where before what, not yet drawn.

The truth that is measured on is composed elsewhere, of other people: see `crowds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from preprocessing.images.pictures import read_picture
from preprocessing.synthesis.cameras import random_camera
from preprocessing.synthesis.cutouts import BACKGROUNDS
from preprocessing.synthesis.people.heads import Head, dressed
from preprocessing.synthesis.people.placement import Place, random_places
from preprocessing.synthesis.people.rendering import Item, Scene
from preprocessing.synthesis.people.rooms import cloth, drawn_room
from preprocessing.synthesis.people.sprites import Sprite, SpriteSource

T = TypeVar("T")

# Sizes of frames (width, height) with their fractions.
FRAMES = {(640, 480): 0.4, (1280, 720): 0.3, (1920, 1080): 0.12, (480, 640): 0.1, (320, 240): 0.08}
PICTURE, ROOM, GARMENT = 0.4, 0.35, 0.1  # fractions of the grounds; the others are drawn patterns
ROOMS, NEW_ROOM = 12, 0.1  # drawn rooms that are kept, and how often one is replaced
HANGING, OBSTACLE = 0.3, 0.25  # fractions of scenes with hanging garments, with an obstacle
DRESSED = 0.25  # fraction of people before webcams that are heads on lying garments
VIDEO, JOINED = 0.3, 0.3  # fractions of photos as they are: frames of videos, with more people
ON_GROUND = 0.3  # fraction of single garments that are cut out
# Width over height from which a computed cut-out may be two people, who touch each other.
WIDEST = 0.475
LEAST = 8  # pixels of a cut-out's sides
TRIES = 20  # pictures that are read to find one of use


@dataclass(frozen=True, eq=False)
class Materials:
    """The pictures that scenes are made of.

    Attributes:
        people: photos of one person each; frames: of videos, never cut out.
        garments: lying and hanging ones; upper: those of them that are worn under a head.
        heads: for these; grounds: pictures without people and garments.
    """

    people: Sequence[SpriteSource]
    garments: Sequence[SpriteSource]
    frames: Sequence[SpriteSource] = ()
    upper: Sequence[SpriteSource] = ()
    heads: Sequence[Head] = ()
    grounds: Sequence[Path] = ()


class SceneMaker:
    """Random scenes; the same materials and generator give the same ones."""

    def __init__(self, materials: Materials, rng: np.random.Generator):
        self.materials, self._rng = materials, rng
        self._rooms: list[np.ndarray] = []

    def composed(self) -> Scene:
        """One to six people on a ground, with things hanging behind and standing before them."""
        size = self._size()
        scene = self._ground(size, garment=True)
        if self._rng.random() < HANGING:
            scene.items.extend(self._hanging(size))
        scene.items.extend(self._people(size))
        if self._rng.random() < OBSTACLE:
            scene.items.append(self._obstacle(size))
        return scene

    def own(self) -> Scene:
        """A photo or a video's frame as it is, sometimes with more people; the first item."""
        rng, materials = self._rng, self.materials
        video = bool(materials.frames) and rng.random() < VIDEO
        sprite = self._person() if not video else self._any(materials.frames).read()
        height, width = sprite.classes.shape
        scale = rng.uniform(1.0, 2.0)
        size = round(width * scale), round(height * scale)
        place = np.array([[scale, 0, 0], [0, scale, 0]])
        if rng.random() < 0.5:
            place = np.array([[-scale, 0, size[0]], [0, scale, 0]])
        scene = Scene(size, random_camera(rng), items=[Item(sprite, place, True, whole=True)])
        if rng.random() < JOINED:
            scene.items.extend(self._people(size)[:2])
        return scene

    def single(self) -> Scene:
        """A lying or hanging garment that fills much of its photo, or one cut out on a ground."""
        rng, sprite = self._rng, self._garment()
        height, width = sprite.classes.shape
        side = float(np.exp(rng.uniform(np.log(0.7), np.log(1.5)))) * max(height, width)
        middle = rng.uniform((0.35 * width, 0.35 * height), (0.65 * width, 0.65 * height))
        tilt = rng.uniform(-15, 15)
        turn = np.asarray(cv2.getRotationMatrix2D(tuple(middle), tilt, 1.0), float)
        turn[:, 2] += side / 2 - middle
        if rng.random() < 0.5:
            turn[0] = -turn[0]
            turn[0, 2] += side
        size = round(side), round(side)
        if rng.random() < ON_GROUND:
            scene = self._ground(size)
            scene.items.append(Item(sprite, turn, True))
            return scene
        item = Item(sprite, turn, True, whole=True)
        # What lies outside of the photo mirrors it.
        return Scene(size, random_camera(rng), sprite.image, turn, [item])

    def empty(self, *, hanging: float) -> Scene:
        """A ground in which nobody is; a fraction `hanging` of them have garments hanging there."""
        size = self._size()
        scene = self._ground(size)
        if self._rng.random() < hanging:
            scene.items.extend(self._hanging(size))
        return scene

    def _any(self, some: Sequence[T]) -> T:
        return some[int(self._rng.integers(len(some)))]

    def _size(self) -> tuple[int, int]:
        sizes = list(FRAMES)
        return sizes[int(self._rng.choice(len(sizes), p=list(FRAMES.values())))]

    def _garment(self) -> Sprite:
        return self._any(self.materials.garments).read()

    def _ground(self, size: tuple[int, int], *, garment: bool = False) -> Scene:
        """A ground alone; with `garment` it may be a garment's photo, for people to stand before.

        A floor, a bed or a wardrobe with a garment that nobody wears is background there.
        """
        rng = self._rng
        ground = self._ground_picture(size, garment=garment)
        height, width = ground.shape[:2]
        scale = max(size[0] / width, size[1] / height) * rng.uniform(1.0, 1.5)
        x, y = rng.uniform(0, 1, 2) * (np.array(size) - np.array([width, height]) * scale)
        place = np.array([[scale, 0, x], [0, scale, y]])
        if rng.random() < 0.5:
            place = np.array([[-scale, 0, x + width * scale], [0, scale, y]])
        return Scene(size, random_camera(rng), ground, place)

    def _ground_picture(self, size: tuple[int, int], *, garment: bool) -> np.ndarray:
        rng, chance = self._rng, self._rng.random()
        if chance < PICTURE and self.materials.grounds:
            return read_picture(self._any(self.materials.grounds))
        if chance < PICTURE + ROOM:
            return self._room()
        if chance < PICTURE + ROOM + GARMENT and garment:
            return self._garment().image
        draw = list(BACKGROUNDS.values())[int(rng.integers(len(BACKGROUNDS)))]
        colour = tuple(int(value) for value in rng.integers(15, 245, 3))
        return draw((256, max(32, round(256 * size[1] / size[0]))), rng, colour)

    def _room(self) -> np.ndarray:
        """One of the drawn rooms, of which there are up to ROOMS."""
        if len(self._rooms) == ROOMS and self._rng.random() >= NEW_ROOM:
            return self._any(self._rooms)
        garments = [self._garment() for _ in range(4)]
        cloths = [cloth(garment) for garment in garments]
        room = drawn_room(self._rng, cloths=cloths, garments=garments)
        if len(self._rooms) == ROOMS:
            self._rooms.pop(int(self._rng.integers(ROOMS)))
        self._rooms.append(room)
        return room

    def _people(self, size: tuple[int, int]) -> list[Item]:
        """People at places that belong together."""
        return [self._standing(place, size) for place in random_places(size, self._rng)]

    def _standing(self, place: Place, size: tuple[int, int]) -> Item:
        upper, heads, rng = self.materials.upper, self.materials.heads, self._rng
        if not (place.near and upper and heads and rng.random() < DRESSED):
            return self._placed(self._person(), place)
        head = place.foot - place.height
        height = max(0.3 * size[1], (size[1] - head) * rng.uniform(0.98, 1.6))
        sprite = dressed(self._any(upper).read(), self._any(heads), rng)
        return self._placed(sprite, Place(place.middle, head + height, height))

    def _person(self) -> Sprite:
        """A person; outlines that are drawn by hand are preferred."""
        for _ in range(TRIES):
            sprite = self._any(self.materials.people).read()
            _, _, width, height = sprite.box
            alone = sprite.exact or width < WIDEST * height
            if alone and min(width, height) > LEAST and (sprite.exact or self._rng.random() < 0.5):
                break
        return sprite

    def _placed(self, sprite: Sprite, place: Place, *, person: bool = True) -> Item:
        """A cut-out that stands at a place, mirrored, tilted, stretched and relit at random."""
        rng = self._rng
        x, y, width, height = sprite.box
        scale = place.height / max(height, 1)
        tilt = rng.normal(0, 4 if person else 8)
        foot = x + width / 2, y + height
        turn = np.asarray(cv2.getRotationMatrix2D(foot, tilt, scale), float)
        if rng.random() < 0.5:
            turn[:, 2] += turn[:, 0] * (2 * x + width)
            turn[:, 0] = -turn[:, 0]
        turn[:, 0] *= rng.uniform(0.9, 1.12)
        turn[:, 2] += (place.middle, place.foot) - (turn[:, :2] @ foot + turn[:, 2])
        blue, green, red = (rng.uniform(0.9, 1.1, 3) * rng.uniform(0.8, 1.2)).tolist()
        return Item(sprite, turn, person, (blue, green, red))

    def _hanging(self, size: tuple[int, int]) -> list[Item]:
        """One to four garments that nobody wears, on a wall or a chair."""
        rng, found = self._rng, []
        for _ in range(rng.integers(1, 5)):
            height = size[1] * rng.uniform(0.12, 0.55)
            place = Place(rng.uniform(0, size[0]), rng.uniform(height * 0.9, size[1]), height)
            found.append(self._placed(self._garment(), place, person=False))
        return found

    def _obstacle(self, size: tuple[int, int]) -> Item:
        """A table, a counter or a pillar before the people: a rectangle of a pattern or cloth."""
        rng, (width, height) = self._rng, size
        draw = list(BACKGROUNDS.values())[int(rng.integers(len(BACKGROUNDS)))]
        colour = tuple(int(value) for value in rng.integers(15, 245, 3))
        image = draw((96, 64), rng, colour) if rng.random() < 0.6 else cloth(self._garment())
        rows, columns = image.shape[:2]
        if rng.random() < 0.75:  # an edge across the frame
            w, h = width * rng.uniform(0.3, 1.2), height * rng.uniform(0.08, 0.4)
            x, y = rng.uniform(-0.1, 0.8) * width, height - h * rng.uniform(0.7, 1.0)
        else:
            w, h = width * rng.uniform(0.03, 0.15), height * rng.uniform(0.4, 1.2)
            x, y = rng.uniform(0, 1) * width, height - h
        place = np.array([[w / columns, 0, x], [rng.normal(0, 0.02), h / rows, y]])
        return Item(Sprite(image, np.ones((rows, columns), np.uint8)), place, person=False)
