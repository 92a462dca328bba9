"""Cut-outs: garments separated from their background and pasted into scenes with exact masks."""

import colorsys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.network_input import to_fashion_mnist
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region, whole_image
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
