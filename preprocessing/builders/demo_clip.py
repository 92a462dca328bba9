"""Renders the bundled demo clip: `python -m preprocessing.builders.demo_clip`.

Fashion-MNIST test garments, which no network was trained on, drift over varied backgrounds.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from preprocessing.command import exit_status
from preprocessing.datasets import fashion_mnist
from preprocessing.errors import SinkError
from preprocessing.synthesis.backgrounds import BACKGROUNDS
from preprocessing.synthesis.cutouts import cut_out, paste, tinted

SIZE = (640, 480)
RATE = 25
SCENE_SECONDS = 3
GARMENT_SIDE = 190
# Background, its BGR colour, and the classes shown on it.
SCENES = (
    ("plain", (214, 222, 226), ("T-shirt/top", "Trouser", "Sneaker")),
    ("boards", (120, 170, 214), ("Dress", "Bag", "Ankle boot")),
    ("gradient", (222, 196, 160), ("Coat", "Sandal", "Trouser")),
    ("woven", (205, 214, 190), ("Pullover", "Dress", "Bag")),
)


@dataclass(frozen=True, eq=False)
class Actor:
    """A garment on its way through a scene."""

    image: np.ndarray
    mask: np.ndarray
    start: np.ndarray
    end: np.ndarray
    sway: float

    def draw(self, scene: np.ndarray, progress: float) -> None:
        """Paste the garment where it is at `progress`, 0 to 1."""
        x, y = self.start + (self.end - self.start) * progress
        swing = np.sin(2 * np.pi * (progress + self.sway))
        paste(scene, self.image, self.mask, centre=(x, y), angle=4 * swing, scale=1 + 0.05 * swing)


def cast(classes: tuple[str, ...], pictures: dict[str, np.ndarray], rng) -> list[Actor]:
    """One garment a class, side by side, each drifting a little."""
    actors = []
    for place, name in enumerate(classes):
        picture = pictures[name][rng.integers(len(pictures[name]))]
        grey, mask = cut_out(picture, GARMENT_SIDE)
        image = tinted(grey, hue=rng.uniform(), saturation=rng.uniform(0.1, 0.5))
        middle = np.array(
            [SIZE[0] * (place + 0.5) / len(classes), SIZE[1] * rng.uniform(0.42, 0.62)]
        )
        drift = rng.uniform(-1, 1, 2) * (14, 70)
        actors.append(Actor(image, mask, middle - drift, middle + drift, rng.uniform()))
    return actors


def dark_pictures(data_dir: str | None) -> dict[str, np.ndarray]:
    """Test pictures of each class whose garments are dark enough to stand out from light ground."""
    images, labels = fashion_mnist.load("test", data_dir)
    covered = np.maximum((images > 0).sum(axis=(1, 2)), 1)
    brightness = images.sum(axis=(1, 2)) / covered  # negated: bright means a dark garment
    return {
        name: images[(labels == label) & (brightness > 130)][:200]
        for label, name in enumerate(fashion_mnist.CLASSES)
    }


def render(path: Path, *, data_dir: str | None, seed: int) -> None:
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
                ground = BACKGROUNDS[kind](SIZE, rng, colour)
                actors = cast(classes, pictures, rng)
                for index in range(SCENE_SECONDS * RATE):
                    scene = ground.copy()
                    for actor in actors:
                        actor.draw(scene, index / (SCENE_SECONDS * RATE))
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(scene, format="bgr24")))
            container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as error:
        raise SinkError(f"cannot write {path}: {error}") from error


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m preprocessing.builders.demo_clip",
        description="Render the demo clip from Fashion-MNIST test garments.",
    )
    parser.add_argument("-o", "--out", type=Path, default=Path("realtime/sources/demo.mp4"))
    parser.add_argument("--data-dir", help="folder of the four Fashion-MNIST files")
    parser.add_argument("--seed", type=int, default=0, help="of garments, colours and paths")
    args = parser.parse_args(argv)

    def command() -> int:
        render(args.out, data_dir=args.data_dir, seed=args.seed)
        print(f"wrote {args.out}, {args.out.stat().st_size / 1e6:.2f} MB")
        return 0

    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
