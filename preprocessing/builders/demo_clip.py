"""Renders the clip of --demo: `python -m preprocessing.builders.demo_clip`.

Garments of Fashion-MNIST's test split, which no network was trained on, drift over backgrounds.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import numpy as np

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import SinkError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.synthesis.cutouts import BACKGROUNDS, cut_out, paste, tinted

SIZE = (640, 480)  # pixels
RATE = 25  # frames per second
SCENE_SECONDS = 3
GARMENT_SIDE = 190  # pixels
MIN_DARKNESS = 130  # mean of a garment's negated pixels, for contrast with light backgrounds
MAX_PICTURES = 200  # of a class
# Background, its BGR colour, and the classes shown on it.
SCENES = (
    ("plain", (214, 222, 226), ("T-shirt/top", "Trouser", "Sneaker")),
    ("boards", (120, 170, 214), ("Dress", "Bag", "Ankle boot")),
    ("gradient", (222, 196, 160), ("Coat", "Sandal", "Trouser")),
    ("woven", (205, 214, 190), ("Pullover", "Dress", "Bag")),
)


@dataclass(frozen=True, kw_only=True)
class DemoClipSettings:
    """The flags of the command."""

    out: Annotated[Path, Flag("video file to write", metavar="FILE", short="-o")] = Path(
        "realtime/sources/demo.mp4"
    )
    data_dir: Annotated[str, Flag("folder of the four Fashion-MNIST files", metavar="DIR")] = ""
    seed: Annotated[int, Flag("seed of garments, colours and paths", metavar="N")] = 0


@dataclass(frozen=True, eq=False)
class MovingGarment:
    """A garment on its way through a scene.

    Attributes:
        image, mask: BGR uint8 (H, W, 3) and uint8 (H, W).
        start, end: x and y of its centre, in pixels (2,).
        phase: of its swing, 0 to 1.
    """

    image: np.ndarray
    mask: np.ndarray
    start: np.ndarray
    end: np.ndarray
    phase: float

    def draw(self, scene: np.ndarray, progress: float) -> None:
        """Paste the garment at its place at `progress`, 0 to 1."""
        x, y = self.start + (self.end - self.start) * progress
        swing = np.sin(2 * np.pi * (progress + self.phase))
        paste(scene, self.image, self.mask, centre=(x, y), angle=4 * swing, scale=1 + 0.05 * swing)


def place_garments(
    classes: tuple[str, ...], pictures: dict[str, np.ndarray], rng: np.random.Generator
) -> list[MovingGarment]:
    """One garment of each class, side by side, each drifting a little."""
    garments = []
    for place, name in enumerate(classes):
        picture = pictures[name][rng.integers(len(pictures[name]))]
        grey, mask = cut_out(picture, GARMENT_SIDE)
        image = tinted(grey, hue=rng.uniform(), saturation=rng.uniform(0.1, 0.5))
        middle = np.array(
            [SIZE[0] * (place + 0.5) / len(classes), SIZE[1] * rng.uniform(0.42, 0.62)]
        )
        drift = rng.uniform(-1, 1, 2) * (14, 70)
        garments.append(MovingGarment(image, mask, middle - drift, middle + drift, rng.uniform()))
    return garments


def dark_pictures(data_dir: str) -> dict[str, np.ndarray]:
    """Test pictures of each class with garments dark enough for light backgrounds."""
    images, labels = fashion_mnist.load("test", data_dir or None)
    covered = np.maximum((images > 0).sum(axis=(1, 2)), 1)
    darkness = images.sum(axis=(1, 2)) / covered  # pixels are negated
    return {
        name: images[(labels == label) & (darkness > MIN_DARKNESS)][:MAX_PICTURES]
        for label, name in enumerate(fashion_mnist.CLASSES)
    }


def render(path: Path, *, data_dir: str, seed: int) -> None:
    """Write the clip as H.264.

    Raises:
        DataError: see `fashion_mnist.load`.
        SinkError: the file cannot be written.
    """
    rng = np.random.default_rng(seed)
    pictures = dark_pictures(data_dir)
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=RATE, options={"crf": "27"})
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for kind, colour, classes in SCENES:
                background = BACKGROUNDS[kind](SIZE, rng, colour)
                garments = place_garments(classes, pictures, rng)
                for index in range(SCENE_SECONDS * RATE):
                    scene = background.copy()
                    for garment in garments:
                        garment.draw(scene, index / (SCENE_SECONDS * RATE))
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(scene, format="bgr24")))
            container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as error:
        raise SinkError(f"cannot write {path}: {error}") from error


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.builders.demo_clip",
        "Render the clip of run_realtime.py --demo from Fashion-MNIST test garments.",
        example="-o demo.mp4",
    )
    add_fields(arguments, DemoClipSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: run(read_fields(DemoClipSettings, args)))


def run(settings: DemoClipSettings) -> int:
    """Render the clip.

    Raises:
        DataError, SinkError: see `render`.
    """
    render(settings.out, data_dir=settings.data_dir, seed=settings.seed)
    print(f"wrote {settings.out}, {settings.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
