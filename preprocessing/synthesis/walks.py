"""Composes clips of people who walk through a picture, with what they cross as exact truth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.errors import DataError
from preprocessing.synthesis.crowds import PeopleScene, PersonCutout, ground

SIZE = (640, 480)
RATE = 15  # frames a second
SECONDS = (4.0, 6.0)  # of a way through the whole picture
PAUSE = (1.0, 2.2)  # seconds between the starts of two people
HEIGHT = (0.55, 0.8)  # of a person, in heights of the picture
NEARER = 0.35  # of the picture's height that somebody is taller, by which they stand lower
TURN = 0.2  # of the people turn back
TURNED_AT = (0.35, 0.8)  # of the picture's width that they have gone by then
STEP_RATE, STEP_HEIGHT = 1.8, 0.012  # steps a second; of the person's height
NOISE = 2.0  # standard deviation of the camera's, in grey levels


@dataclass(frozen=True, eq=False)
class WalkFrame:
    """A frame of a walk, BGR uint8 (H, W, 3).

    Attributes:
        middles: x in pixels of the middle of each person who is on the way, by number.
    """

    image: np.ndarray
    middles: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Walker:
    """A person, already scaled, who walks in from a side and out of one.

    Attributes:
        from_left: the side where they begin.
        turn: share of the width at which they turn back; None for who goes through.
        start, seconds: when they begin, and how long a way through the picture takes.
        feet: their level in pixels.
    """

    person: PersonCutout
    from_left: bool
    turn: float | None
    start: float
    seconds: float
    feet: float

    def middle(self, time: float) -> float | None:
        """x in pixels at a time; None while they are not on their way."""
        width, half = SIZE[0], self.person.classes.shape[1] / 2
        gone = (time - self.start) / self.seconds * (width + 2 * half)
        if self.turn is not None:
            farthest = half + self.turn * width
            gone = gone if gone <= farthest else 2 * farthest - gone
        if time < self.start or not 0 <= gone <= width + 2 * half:
            return None
        return gone - half if self.from_left else width + half - gone

    def place(self, time: float, middle: float) -> tuple[int, int]:
        """Left and top in pixels."""
        rows, columns = self.person.classes.shape
        step = abs(np.sin(np.pi * STEP_RATE * (time - self.start)))
        return round(middle - columns / 2), round(self.feet - rows * (1 + STEP_HEIGHT * step))


def walkers(
    cutouts: Sequence[PersonCutout], rng: np.random.Generator, *, count: int
) -> list[Walker]:
    """Return people who start one after the other, each at a depth of their own.

    Raises:
        DataError: there are fewer people.
    """
    if len(cutouts) < count:
        raise DataError(f"a walk of {count} needs as many people, got {len(cutouts)}")
    found, start = [], 0.0
    for index in rng.choice(len(cutouts), count, replace=False).tolist():
        height = float(rng.uniform(*HEIGHT))
        person = cutouts[index].mirrored if rng.random() < 0.5 else cutouts[index]
        turns = rng.random() < TURN
        found.append(Walker(
            person.scaled(height * SIZE[1] / len(person.classes)),
            from_left=bool(rng.random() < 0.5),
            turn=float(rng.uniform(*TURNED_AT)) if turns else None,
            start=start,
            seconds=float(rng.uniform(*SECONDS)),
            feet=SIZE[1] * (0.98 - NEARER * (HEIGHT[1] - height)),
        ))  # fmt: skip
        start += float(rng.uniform(*PAUSE))
    return found


def walk(
    people: Sequence[Walker], *, rooms: Sequence[np.ndarray], rng: np.random.Generator
) -> Iterator[WalkFrame]:
    """The frames of a clip at RATE, until everybody has left; the taller stand in front."""
    scenery = ground(SIZE, rooms, rng)
    order = sorted(range(len(people)), key=lambda number: people[number].feet)
    end = max(person.start + 2 * person.seconds for person in people)
    for index in range(int(end * RATE)):
        now = index / RATE
        middles = {number: x for number in order if (x := people[number].middle(now)) is not None}
        if not middles and all(now > person.start for person in people):
            return
        scene = PeopleScene(scenery.copy())
        for number, middle in middles.items():
            left, top = people[number].place(now, middle)
            scene.place(number, people[number].person, left=left, top=top)
        noise = NOISE * rng.standard_normal(scenery.shape, np.float32)
        image = np.clip(scene.image + noise, 0, 255).astype(np.uint8)
        yield WalkFrame(image, middles)
