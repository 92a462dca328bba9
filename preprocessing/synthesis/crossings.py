"""Composes clips of two people who walk towards each other, cross and part, with exact truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.errors import DataError
from preprocessing.synthesis.crowds import PeopleScene, PersonCutout, VisiblePerson, ground

SIZE = (640, 480)
RATE = 15  # frames a second
FRAMES = (60, 90)  # of a clip
SHARE = (0.7, 0.92)  # of the frame's height, of a person's height
EDGE = (0.1, 0.2)  # of the frame's width, between a border and where a person starts or stops
NEARER = (0.0, 0.05)  # of the frame's height, by which the person in front stands lower
STEP_RATE, STEP_HEIGHT = 1.8, 0.012  # steps a second; of the person's height
NOISE = 2.0  # standard deviation of the camera's, in grey levels


@dataclass(frozen=True, eq=False)
class CrossingFrame:
    """A frame of a crossing, BGR uint8 (H, W, 3).

    Attributes:
        people: those that are visible, 0 for the one who starts at the left and 1 for the other.
        phase: -1 while the two approach without touching, 1 when they have parted, else 0.
    """

    image: np.ndarray
    people: Mapping[int, VisiblePerson]
    phase: int


@dataclass(frozen=True, eq=False)
class _Walker:
    """A person, already scaled, whose middle goes from `start` to `stop` at a level of the feet.

    Attributes:
        start, stop, feet: in pixels.
        offset: of the steps, in steps.
    """

    person: PersonCutout
    start: float
    stop: float
    feet: float
    offset: float

    def place(self, progress: float, seconds: float) -> tuple[int, int]:
        """Left and top in pixels, after a fraction of the way and a time."""
        rows, columns = self.person.classes.shape
        step = abs(np.sin(np.pi * (STEP_RATE * seconds + self.offset)))
        middle = self.start + (self.stop - self.start) * progress
        return round(middle - columns / 2), round(self.feet - rows * (1 + STEP_HEIGHT * step))


def crossing(
    *, cutouts: Sequence[PersonCutout], rooms: Sequence[np.ndarray], rng: np.random.Generator
) -> Iterator[CrossingFrame]:
    """The frames of a clip at RATE: two people change sides, one in front of the other.

    Raises:
        DataError: there are fewer than two people.
    """
    if len(cutouts) < 2:
        raise DataError(f"a crossing needs two people, got {len(cutouts)}")
    scenery = ground(SIZE, rooms, rng)
    front = int(rng.integers(2))
    chosen = rng.choice(len(cutouts), 2, replace=False)
    walkers = [
        _walker(cutouts[index], rng, from_left=number == 0, in_front=number == front)
        for number, index in enumerate(chosen.tolist())
    ]
    count = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
    for index in range(count):
        noise = NOISE * rng.standard_normal(scenery.shape, np.float32)
        scene = PeopleScene(scenery.copy())
        places = [walker.place(index / (count - 1), index / RATE) for walker in walkers]
        for number in (1 - front, front):
            left, top = places[number]
            scene.place(number, walkers[number].person, left=left, top=top)
        image = np.clip(scene.image + noise, 0, 255).astype(np.uint8)
        yield CrossingFrame(image, scene.people(), _phase(walkers, places))


def _walker(
    cutout: PersonCutout, rng: np.random.Generator, *, from_left: bool, in_front: bool
) -> _Walker:
    width, height = SIZE
    person = cutout.mirrored if rng.random() < 0.5 else cutout
    person = person.scaled(rng.uniform(*SHARE) * height / len(person.classes))
    left, right = rng.uniform(*EDGE) * width, (1 - rng.uniform(*EDGE)) * width
    start, stop = (left, right) if from_left else (right, left)
    farther = 0.0 if in_front else rng.uniform(*NEARER) * height
    return _Walker(person, start, stop, height - farther, rng.uniform(0, 1))


def _phase(walkers: Sequence[_Walker], places: Sequence[tuple[int, int]]) -> int:
    """The phase of a frame, by the sides of the two people's boxes."""
    (left, _), (other_left, _) = places
    right, other_right = (
        place[0] + walker.person.classes.shape[1]
        for walker, place in zip(walkers, places, strict=True)
    )
    return -1 if right <= other_left else int(other_right <= left)
