"""Cut-outs: garments separated from their background, to be pasted into scenes with exact masks.

Backgrounds to paste them on are drawn at random or cropped from garment-free pictures.
"""

import colorsys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region, to_fashion_mnist, whole_image
from preprocessing.images.segmentation import segment
from preprocessing.processes import process_pool

GARMENT_LEVEL = 24  # grey of 0..255 above which a data set pixel belongs to the garment


def cut_out(picture: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A garment of Fashion-MNIST, enlarged: grey as in a photo, uint8 (S, S), and its soft mask.

    Args:
        picture: uint8 (28, 28), negated grey on black.
        side: in pixels.
    """
    solid = (picture > GARMENT_LEVEL).astype(np.uint8) * 255
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, contours, -1, 255, cv2.FILLED)
    size = (side, side)
    mask = cv2.GaussianBlur(
        cv2.resize(solid, size, interpolation=cv2.INTER_LINEAR), (0, 0), side / 90
    )
    # The picture's own rim fades to black; a mask inside it keeps that from showing as a halo.
    sharp = np.clip((mask.astype(np.float32) - 150) * 4, 0, 255).astype(np.uint8)
    grown = np.where(solid > 0, picture, cv2.dilate(picture, np.ones((5, 5), np.uint8)))
    return 255 - cv2.resize(grown, size, interpolation=cv2.INTER_CUBIC), sharp


def tinted(grey: np.ndarray, hue: float, saturation: float) -> np.ndarray:
    """A grey image in a colour with the same brightness, BGR uint8 (H, W, 3).

    If the colour cannot be that bright, the whole image is darker, so that shades stay distinct.
    """
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    luminance = 0.114 * blue + 0.587 * green + 0.299 * red
    colour = np.array([blue, green, red], np.float32) / luminance
    image = grey[..., None].astype(np.float32) * colour
    return (image * min(1.0, 255 / max(float(image.max()), 1.0))).astype(np.uint8)


def paste(
    scene: np.ndarray,
    garment: np.ndarray,
    mask: np.ndarray,
    *,
    centre: tuple[float, float],
    angle: float = 0.0,
    scale: float = 1.0,
) -> Region | None:
    """Blend a garment into a scene, in place; its visible region, or None if it is outside.

    Args:
        scene: BGR uint8 (H, W, 3).
        garment, mask: BGR uint8 (h, w, 3) and uint8 (h, w).
        centre: x, y in the scene, in pixels.
        angle: in degrees, counter-clockwise.
    """
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    turn[:, 2] += centre[0] - width / 2, centre[1] - height / 2
    size = scene.shape[1::-1]
    colours = cv2.warpAffine(
        garment, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.warpAffine(mask, turn, size, flags=cv2.INTER_LINEAR)
    blend(scene, colours, cover)
    return Region.from_mask(cv2.threshold(cover, 127, 255, cv2.THRESH_BINARY)[1])


def blend(scene: np.ndarray, colours: np.ndarray, cover: np.ndarray) -> None:
    """Blend colours BGR uint8 (H, W, 3) into a scene, in place, with the opacity uint8 (H, W)."""
    alpha = cover[..., None].astype(np.float32) / 255
    scene[:] = (scene * (1 - alpha) + colours * alpha).astype(np.uint8)


def grabcut_photo(path: Path, side: int) -> tuple[np.ndarray, Region | None]:
    """A photo scaled to a longer side, BGR uint8 (H, W, 3), and its largest garment by GrabCut.

    Raises:
        DataError: it cannot be read.
    """
    image = read_picture(path)
    scale = side / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return image, next(iter(segment(image, "grabcut")), None)


def fashion_mnist_photos(paths: Sequence[Path]) -> np.ndarray:
    """Photos in the style of Fashion-MNIST, uint8 (N, 28, 28): of each its largest garment.

    Raises:
        DataError: a photo cannot be read.
    """
    with process_pool() as pool:
        return np.stack(list(pool.map(_fashion_mnist_photo, paths, chunksize=16)))


def _fashion_mnist_photo(path: Path) -> np.ndarray:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    regions = segment(image, "grabcut") or [whole_image(image)]
    return to_fashion_mnist(image, regions[0])


# From size (width, height), generator and BGR colour to a BGR uint8 (H, W, 3).
Background = Callable[[tuple[int, int], np.random.Generator, tuple[int, ...]], np.ndarray]


def plain(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """One colour under uneven light: BGR uint8 (H, W, 3) for size (width, height)."""
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = rng.uniform(-0.08, 0.08, 2)
    light = 1 + slope[0] * x + slope[1] * y - 0.05 * (x**2 + y**2)
    scene = np.array(colour, np.float32) * light[..., None]
    return np.clip(scene + rng.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)


def gradient(
    size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]
) -> np.ndarray:
    """A colour that fades towards its darker self."""
    scene = plain(size, rng, colour).astype(np.float32)
    return (scene * np.linspace(1.0, 0.72, size[1])[:, None, None]).astype(np.uint8)


def woven(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """Cloth: two crossing waves and grain."""
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = 5 * np.sin(x / 2.3) + 5 * np.sin(y / 2.9)
    grain = cv2.GaussianBlur(rng.normal(0, 25, (height, width)), (0, 0), 1.2)
    scene = plain(size, rng, colour).astype(np.float32) + (waves + grain)[..., None]
    return np.clip(scene, 0, 255).astype(np.uint8)


def boards(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """A wooden floor: boards of slightly different brightness, dark gaps, grain along them."""
    width, height = size
    board = max(8, height // 7)
    tones = rng.uniform(0.9, 1.08, height // board + 1)
    rows = np.repeat(tones, board)[:height]
    rows[::board] *= 0.8
    grain = cv2.GaussianBlur(rng.normal(0, 30, (height, width)), (0, 0), 9, sigmaY=0.7)
    scene = plain(size, rng, colour).astype(np.float32) * rows[:, None, None] + grain[..., None]
    return np.clip(scene, 0, 255).astype(np.uint8)


def clouds(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """Soft noise of several scales in each channel: carpets, hedges, out-of-focus rooms."""
    width, height = size
    scene = np.array(colour, np.float32) * np.ones((height, width, 1), np.float32)
    for cells in (3, 6, 12, 40):
        coarse = rng.normal(0, 60 / np.sqrt(cells), (cells, cells, 3)).astype(np.float32)
        scene += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(scene, 0, 255).astype(np.uint8)


def checks(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """Tiles of two brightnesses with gaps between them, rotated by a random angle."""
    width, height = size
    angle, tile = rng.uniform(0, np.pi / 2), rng.uniform(0.06, 0.25) * min(size)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    u = (x * np.cos(angle) + y * np.sin(angle)) / tile
    v = (y * np.cos(angle) - x * np.sin(angle)) / tile
    level = np.where((np.floor(u) + np.floor(v)) % 2 == 0, 1.0, rng.uniform(0.6, 1.0))
    level[(np.minimum(u % 1, v % 1) < 0.04)] *= rng.uniform(0.5, 1.2)
    scene = plain(size, rng, colour).astype(np.float32) * level[..., None]
    return np.clip(scene, 0, 255).astype(np.uint8)


def stripes(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """Blinds, panelling, radiators: bands of random widths in one direction."""
    upright = rng.random() < 0.5
    along = size[0] if upright else size[1]
    edges = np.cumsum(rng.uniform(0.02, 0.2, 60) * along).astype(int)
    levels = rng.uniform(0.55, 1.2, 61)[np.searchsorted(edges, np.arange(along))]
    shaded = levels[None, :, None] if upright else levels[:, None, None]
    scene = plain(size, rng, colour).astype(np.float32) * shaded
    return np.clip(scene, 0, 255).astype(np.uint8)


def clutter(size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]) -> np.ndarray:
    """A blurred room: overlapping rectangles and ellipses of random colours."""
    scene = plain(size, rng, colour)
    for _ in range(rng.integers(6, 18)):
        tone = tuple(int(value) for value in rng.integers(20, 236, 3))
        x, y = (int(value) for value in rng.uniform(0, 1, 2) * size)
        w, h = (int(value) for value in rng.uniform(0.05, 0.5, 2) * size)
        if rng.random() < 0.7:
            cv2.rectangle(scene, (x - w // 2, y - h // 2), (x + w // 2, y + h // 2), tone, -1)
        else:
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(scene, (x, y), (w // 2 + 1, h // 2 + 1), angle, 0, 360, tone, -1)
    return cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.5, 3)))


class Patches:
    """Random crops of garment-free pictures, called like every other background."""

    def __init__(self, paths: Sequence[Path]):
        self._paths = list(paths)

    def __call__(
        self, size: tuple[int, int], rng: np.random.Generator, colour: tuple[int, ...]
    ) -> np.ndarray:
        image = read_picture(self._paths[rng.integers(len(self._paths))])
        fraction = rng.uniform(0.4, 1.0)
        side = max(8, int(fraction * min(image.shape[:2])))
        top = rng.integers(0, image.shape[0] - side + 1)
        left = rng.integers(0, image.shape[1] - side + 1)
        patch = image[top : top + side, left : left + side]
        patch = patch[:, ::-1] if rng.random() < 0.5 else patch
        return cv2.resize(patch, size, interpolation=cv2.INTER_AREA)


BACKGROUNDS: dict[str, Background] = {
    "plain": plain,
    "gradient": gradient,
    "woven": woven,
    "boards": boards,
    "clouds": clouds,
    "checks": checks,
    "stripes": stripes,
    "clutter": clutter,
}
# Backgrounds of test data, on which no detector is trained.
UNSEEN = ("woven", "checks", "stripes")


def random_background(pictures: Patches | None, side: int, rng: np.random.Generator) -> np.ndarray:
    """A garment-free square, BGR uint8 (S, S, 3); half of them are crops of pictures, if any."""
    drawn = list(BACKGROUNDS.values())
    draw = pictures if pictures and rng.random() < 0.5 else drawn[rng.integers(len(drawn))]
    return draw((side, side), rng, tuple(int(v) for v in rng.integers(15, 245, 3)))
