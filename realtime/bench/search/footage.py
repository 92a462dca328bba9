"""Footage of the search benchmark: clips, rooms and composed scenes, indexed by the app itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from preprocessing.synthesis.crowds import KINDS, compose, named_cutouts
from realtime.bench.footage import read_grounds
from realtime.bench.search.truth import Outfit, read_worn
from realtime.cli import run_one
from realtime.library.recogniser import Recogniser
from realtime.settings import Recognition, Settings
from realtime.sinks.sink_table import OutputSettings

RATE, SECONDS = 8, 1  # of a composed scene, whose picture does not change


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody in a source, all the time.

    Attributes:
        box: float32 (4,); None if nobody else is there.
    """

    outfit: Outfit
    box: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Footage:
    """A source, and who is in it."""

    path: Path
    people: tuple[Person, ...]


def clips(folder: Path, worn: dict[str, Outfit]) -> Iterator[Footage]:
    """The clips of a folder that worn.csv names; there is one person in each, or nobody."""
    for name, outfit in worn.items():
        path = folder / name
        if path.exists():
            yield Footage(path, (Person(outfit),) if outfit else ())


def scenes(
    data: Path, rooms: Path, folder: Path, *, count: int, seed: int = 0, first: int | None = None
) -> Iterator[Footage]:
    """Composed scenes of people that worn.csv names, the kinds by turns, as short videos.

    Args:
        data: people with masks; rooms: pictures of empty rooms.
        folder: for the videos.
        first: see `named_cutouts`.
    """
    worn = read_worn()
    named = [pair for pair in named_cutouts(data, first=first) if pair[0] in worn]
    outfits, cutouts = [worn[name] for name, _ in named], [cutout for _, cutout in named]
    grounds, rng = read_grounds(rooms), np.random.default_rng(seed)
    kinds = list(KINDS.values())
    for number in range(count):
        scene = compose(kinds[number % len(kinds)], cutouts=cutouts, rooms=grounds, rng=rng)
        path = folder / f"scene-{number:03d}.mp4"
        write_still(path, scene.image)
        yield Footage(path, tuple(
            Person(tuple(one for one in outfits[cutout] if one.visible(person.garments)),
                   person.box)
            for person, cutout in zip(scene.people, scene.cutouts, strict=True)
        ))  # fmt: skip


def write_still(path: Path, image: np.ndarray) -> None:
    """A video of SECONDS that shows a BGR picture of even sides."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "12"})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(RATE * SECONDS):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def index_all(footage: Sequence[Footage], index: Path) -> None:
    """Run the app on each source, with the networks in common.

    Raises:
        GarmentError: a source cannot be read, or the index not written.
    """
    recognition = Recognition()
    recogniser = Recogniser(recognition)
    settings = Settings(outputs=OutputSettings(paths={"index": index}), recognition=recognition)
    for one in footage:
        run_one(str(one.path), replace(settings), recogniser)
