"""Composes crowds: people cut out of photos with masks, pasted into rooms, with exact truth.

For measuring only: scenes to learn from are composed elsewhere, of other people. All randomness of
a scene comes from one generator, so that it depends on its seed alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.datasets.parsed_people import read_mask_labels, read_parsed_people
from preprocessing.errors import DataError
from preprocessing.images.class_maps import BACKGROUND, FIRST, mask_table
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from preprocessing.labels import LAYERS, MASK_AMBIGUOUS
from preprocessing.synthesis.cutouts import blend

MIN_VISIBLE = 0.0015  # of the frame; garments that show less are not expected to be found
PLAIN = 1 / 3  # of the scenes have a ground of two colours
BRIGHTNESS, NOISE = (60, 220), 3  # of that ground
WIDEST = 1.15  # of a slot; wider people are shrunk to it
EDGE = (3, 3)  # pixels, of the filter that softens edges
MIDDLE = (0.3, 0.7)  # of the frame's width, where one person alone stands
DISTANT = 0.5  # share of the height, below which people stand above the lower border
STANDING = (0.4, 0.9)  # of the free height, where they do
NOBODY = 255


@dataclass(frozen=True)
class Kind:
    """A kind of scene.

    Attributes:
        people: their number, 1 to 254.
        width, height: of the frame, in pixels.
        share: of the frame's height that a person (or the half of one) takes.
        half: upper halves, standing on the lower border.
    """

    title: str
    people: int
    width: int
    height: int
    share: float
    half: bool = False


KINDS = {
    "alone": Kind("alone", 1, 480, 640, 0.92),
    "two": Kind("two", 2, 640, 480, 0.95),
    "three": Kind("three", 3, 1280, 720, 0.95),
    "five": Kind("five", 5, 1280, 720, 0.95),
    "half": Kind("half body", 1, 640, 480, 0.9, half=True),
    "three-half": Kind("three half bodies", 3, 1280, 720, 0.85, half=True),
    "at-45": Kind("one at 45 %", 1, 1280, 720, 0.45),
    "at-25": Kind("one at 25 %", 1, 1280, 720, 0.25),
    "five-at-35": Kind("five at 35 %", 5, 1280, 720, 0.35),
}


@dataclass(frozen=True, eq=False)
class PersonCutout:
    """A person without the background.

    Attributes:
        image: BGR uint8 (h, w, 3).
        classes: of every pixel, uint8 (h, w): numbers of `class_maps.CLASSES`, BACKGROUND beside
            the person.
    """

    image: np.ndarray
    classes: np.ndarray

    @property
    def upper_half(self) -> "PersonCutout":
        """The upper half."""
        rows = len(self.image) // 2
        return PersonCutout(self.image[:rows], self.classes[:rows])

    @property
    def mirrored(self) -> "PersonCutout":
        """The mirror image."""
        return PersonCutout(self.image[:, ::-1], self.classes[:, ::-1])

    def scaled(self, scale: float) -> "PersonCutout":
        """The person enlarged by a factor."""
        size = [max(1, round(side * scale)) for side in self.image.shape[1::-1]]
        filtered = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return PersonCutout(
            cv2.resize(self.image, size, interpolation=filtered),
            cv2.resize(self.classes, size, interpolation=cv2.INTER_NEAREST),
        )


@dataclass(frozen=True, eq=False)
class VisiblePerson:
    """A person in a scene, as far as nobody hides them.

    Attributes:
        box: float32 (4,), x1 y1 x2 y2 around the visible pixels, half-open.
        garments: boxes of the same form by layer.
    """

    box: np.ndarray
    garments: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Crowd:
    """A scene, BGR uint8 (H, W, 3), with the people that are visible in it.

    Attributes:
        cutouts: the number of each person's cutout.
    """

    image: np.ndarray
    people: tuple[VisiblePerson, ...]
    cutouts: tuple[int, ...] = ()


def read_cutouts(folder: Path, *, first: int | None = None) -> list[PersonCutout]:
    """The people in photos with masks, cut out; masks with an ambiguous garment are left out.

    Args:
        first: position of the first photo in the order of the names, from 1; None for the photos
            that no training learns from.

    Raises:
        DataError: there is none, or a photo, mask or labels.csv is missing or damaged.
    """
    return [cutout for _, cutout in named_cutouts(folder, first=first)]


def named_cutouts(folder: Path, *, first: int | None = None) -> list[tuple[str, PersonCutout]]:
    """The same people, each with the name of the photo; see `read_cutouts`."""
    names = read_mask_labels(folder)
    ambiguous = [value for value, name in names.items() if name in MASK_AMBIGUOUS]
    table, found = mask_table(names), []
    for photo in read_parsed_people(folder):
        if photo.split != "test" if first is None else photo.number < first:
            continue
        mask = photo.mask()
        x, y, width, height = cv2.boundingRect(mask)
        if width and not np.isin(mask, ambiguous).any():
            part = np.s_[y : y + height, x : x + width]
            person = PersonCutout(read_picture(photo.path)[part], table[mask[part]])
            found.append((photo.path.name, person))
    if not found:
        chosen = "test split" if first is None else f"photos from number {first} on"
        raise DataError(f"no person to cut out in {folder}: the {chosen} has no clear mask")
    return found


class PeopleScene:
    """A scene in the making, which knows whom and what each pixel shows.

    Args:
        ground: BGR uint8 (H, W, 3), changed in place.
    """

    def __init__(self, ground: np.ndarray):
        self.image = ground
        self._owners = np.full(ground.shape[:2], NOBODY, np.uint8)
        self._classes = np.full(ground.shape[:2], BACKGROUND, np.uint8)

    def place(self, number: int, person: PersonCutout, *, left: int, top: int) -> None:
        """Paste a person over whoever is there; parts outside the frame are cut off.

        Args:
            number: of the person, 0 to 254.
        """
        height, width = self.image.shape[:2]
        rows, columns = person.classes.shape
        x1, y1 = max(left, 0), max(top, 0)
        x2, y2 = min(left + columns, width), min(top + rows, height)
        if x1 >= x2 or y1 >= y2:
            return
        there, part = np.s_[y1:y2, x1:x2], np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
        solid = person.classes != BACKGROUND
        soft = cv2.GaussianBlur(np.where(solid, 255, 0).astype(np.uint8), EDGE, 0)
        blend(self.image[there], person.image[part], soft[part])
        solid = solid[part]
        self._owners[there][solid] = number
        self._classes[there][solid] = person.classes[part][solid]

    def people(self) -> dict[int, VisiblePerson]:
        """The visible people by number."""
        numbers = np.flatnonzero(np.bincount(self._owners.ravel(), minlength=NOBODY)[:NOBODY])
        return {int(number): self._visible(int(number)) for number in numbers}

    def _visible(self, number: int) -> VisiblePerson:
        mine = Region.from_mask((self._owners == number).astype(np.uint8))
        assert mine is not None, "a person without pixels"
        x1, y1, x2, y2 = mine.window
        classes = np.where(mine.mask, self._classes[y1:y2, x1:x2], BACKGROUND)
        boxes = {}
        for index, layer in enumerate(LAYERS, start=FIRST):
            shown = Region.from_mask((classes == index).astype(np.uint8))
            if shown is not None and shown.mask.sum() >= MIN_VISIBLE * self._owners.size:
                boxes[layer] = shown.box + np.array([x1, y1, x1, y1], np.float32)
        return VisiblePerson(mine.box, boxes)


def ground(
    size: tuple[int, int], rooms: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A ground for a scene, BGR uint8 (H, W, 3): two colours, or a room or its mirror image.

    Args:
        size: width and height in pixels, to which a room is stretched.
        rooms: BGR pictures of empty rooms; none for two colours always.
    """
    width, height = size
    if rng.random() < PLAIN or not rooms:
        upper, lower = rng.uniform(*BRIGHTNESS, (2, 3))
        column = upper + (lower - upper) * np.linspace(0, 1, height)[:, None, None]
        noise = rng.normal(0, NOISE, (height, width, 3))
        return np.clip(column + noise, 0, 255).astype(np.uint8)
    room = cv2.resize(rooms[int(rng.integers(len(rooms)))], size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(room[:, ::-1]) if rng.random() < 0.5 else room


def compose(
    kind: Kind,
    *,
    cutouts: Sequence[PersonCutout],
    rooms: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> Crowd:
    """A scene: each person in the middle of a slot of the frame's width, in random order."""
    scene = PeopleScene(ground((kind.width, kind.height), rooms, rng))
    slot, chosen = kind.width / kind.people, {}
    for number in rng.permutation(kind.people).tolist():
        chosen[number] = int(rng.integers(len(cutouts)))
        person = cutouts[chosen[number]]
        person = person.upper_half if kind.half else person
        rows, columns = person.classes.shape
        scale = kind.share * kind.height / rows
        if kind.people > 1:
            scale = min(scale, WIDEST * slot / columns)
        person = person.scaled(scale)
        rows, columns = person.classes.shape
        together = kind.people > 1
        middle = (number + 0.5) * slot if together else rng.uniform(*MIDDLE) * kind.width
        free = kind.height - rows
        top = round(rng.uniform(*STANDING) * free) if kind.share < DISTANT else free
        scene.place(number, person, left=round(middle - columns / 2), top=top)
    people = scene.people()
    return Crowd(scene.image, tuple(people.values()), tuple(chosen[number] for number in people))
