"""Clips of people for the side-by-side bench: of any frame size, with any number of people."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from preprocessing.errors import DataError, SourceError
from preprocessing.synthesis.crowds import Kind, PersonCutout, compose, ground, read_cutouts
from realtime.bench.speed.clips import Clip, pictures

RATE = Fraction(25)
SWAY, PERIOD = 12, 50  # pixels that the camera sways to each side, frames of one swing
LONGEST = 120  # frames that are kept of a clip; it goes forwards and backwards
SHARE = 0.9  # of the frame's height that people take
CODER = {"crf": "20", "preset": "veryfast"}


@dataclass(frozen=True)
class Scene:
    """A clip to write.

    Attributes:
        size: width and height in pixels.
        people: their number in a composed scene; None for the person of the programs' clip.
    """

    frames: int
    size: tuple[int, int] = (640, 480)
    people: int | None = None


class SceneMaker:
    """Writes clips, each of them once.

    Args:
        folder: for the clips.
        video: the clip of a person; None for a composed person, or, without cut-outs, the demo.
        data: people with masks; None for none.

    Raises:
        DataError: the people are missing or damaged.
        SourceError: the video cannot be read.
    """

    def __init__(self, folder: Path, video: Path | None, data: Path | None):
        self._folder, self._video = folder, video
        self._cutouts: Sequence[PersonCutout] = read_cutouts(data) if data else ()
        self._shown = _read(video) if video else []

    @property
    def composes(self) -> bool:
        """True if there are people to compose scenes of."""
        return bool(self._cutouts)

    @property
    def person(self) -> str:
        """The words that say what the programs' clip shows."""
        if self._video:
            return f"{self._video.name}, forwards and backwards"
        return "one composed person, swaying camera" if self._cutouts else (
            "the bundled demo: a garment without a person, so that the default pipeline finds "
            "nobody (give --video or --data)"
        )  # fmt: skip

    def path(self, scene: Scene) -> Path:
        """The file of a clip."""
        width, height = scene.size
        people = "person" if scene.people is None else f"{scene.people}-people"
        return self._folder / f"{people}-{width}x{height}-{scene.frames}.mp4"

    def write(self, scene: Scene) -> Path:
        """The clip as H.264, written unless it is there."""
        path = self.path(scene)
        if not path.exists():
            encode(path, itertools.islice(self._pictures(scene), scene.frames))
        return path

    def _pictures(self, scene: Scene) -> Iterator[np.ndarray]:
        if scene.people is not None:
            yield from swaying(self._composed(scene.people, scene.size), scene.size)
        elif self._video:
            for image in there_and_back(self._shown):
                yield covering(image, scene.size)
        elif self._cutouts:
            wide = (1280, 960)
            for image in swaying(self._composed(1, wide), wide):
                yield covering(image, scene.size)
        else:
            for image in pictures(Clip(scene.frames)):
                yield covering(image, scene.size)

    def _composed(self, people: int, size: tuple[int, int]) -> np.ndarray:
        """A scene that is wider and higher than the frame by the sway."""
        rng = np.random.default_rng(people)
        width, height = (side + 2 * SWAY for side in size)
        if not people:
            return ground((width, height), (), rng)
        if not self._cutouts:
            raise DataError("composed scenes need people with masks: give --data DIR")
        kind = Kind(f"{people} people", people, width, height, SHARE)
        return compose(kind, cutouts=self._cutouts, rooms=(), rng=rng).image


def swaying(image: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Endless parts (H, W, 3) of a larger picture, as a swaying camera sees it."""
    width, height = size
    for number in itertools.count():
        angle = 2 * np.pi * number / PERIOD
        left, top = round(SWAY * (1 + np.sin(angle))), round(SWAY * (1 + np.cos(angle) / 2))
        yield np.ascontiguousarray(image[top : top + height, left : left + width])


def covering(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture enlarged or reduced until it covers a size, the middle of it."""
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    filtered = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sides = zip(image.shape[1::-1], size, strict=True)
    wanted = [max(least, round(side * scale)) for side, least in sides]
    scaled = cv2.resize(image, wanted, interpolation=filtered)
    left, top = (wanted[0] - width) // 2, (wanted[1] - height) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def there_and_back(images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Pictures forwards and backwards without end, so that no jump looks like a scene cut."""
    inner = images[-2:0:-1]
    return itertools.cycle([*images, *inner])


def _read(path: Path) -> list[np.ndarray]:
    try:
        with av.open(str(path)) as source:
            shown = itertools.islice(source.decode(video=0), LONGEST)
            found = [frame.to_ndarray(format="bgr24") for frame in shown]
    except (av.FFmpegError, IndexError) as error:
        raise SourceError(f"--video {path} cannot be read: {error}") from error
    if not found:
        raise SourceError(f"--video {path} has no pictures")
    return found


def encode(path: Path, images: Iterator[np.ndarray]) -> None:
    """Write pictures of one size as H.264."""
    first = next(images)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=RATE, options=CODER)
        stream.height, stream.width, stream.pix_fmt = *first.shape[:2], "yuv420p"
        for index, image in enumerate(itertools.chain([first], images)):
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = index, 1 / RATE
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
