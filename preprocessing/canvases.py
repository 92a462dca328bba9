"""Draws scenes from Fashion-MNIST garments: backgrounds, cut-outs, pasting with exact masks."""

import colorsys

import cv2
import numpy as np

from preprocessing.regions import Region

GARMENT_LEVEL = 24  # grey of 0..255 above which a data set pixel belongs to the garment


def cut_out(picture: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A garment enlarged to `side` pixels: grey as in a photo, uint8, and its soft mask, uint8.

    Args:
        picture: uint8 (28, 28) of the data set, negated grey on black.
    """
    solid = (picture > GARMENT_LEVEL).astype(np.uint8) * 255
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, contours, -1, 255, cv2.FILLED)
    size = (side, side)
    mask = cv2.GaussianBlur(
        cv2.resize(solid, size, interpolation=cv2.INTER_LINEAR), (0, 0), side / 90
    )
    # The picture's own rim fades to black; cutting inside it keeps that from showing as a halo.
    sharp = np.clip((mask.astype(np.float32) - 150) * 4, 0, 255).astype(np.uint8)
    grown = np.where(solid > 0, picture, cv2.dilate(picture, np.ones((5, 5), np.uint8)))
    return 255 - cv2.resize(grown, size, interpolation=cv2.INTER_CUBIC), sharp


def tinted(grey: np.ndarray, hue: float, saturation: float) -> np.ndarray:
    """A grey image in a colour that keeps its brightness: BGR uint8 (H, W, 3)."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    luminance = 0.114 * blue + 0.587 * green + 0.299 * red
    colour = np.array([blue, green, red], np.float32) / luminance
    return np.clip(grey[..., None].astype(np.float32) * colour, 0, 255).astype(np.uint8)


def paste(
    scene: np.ndarray,
    garment: np.ndarray,
    mask: np.ndarray,
    *,
    centre: tuple[float, float],
    angle: float = 0.0,
    scale: float = 1.0,
) -> Region | None:
    """Blend a garment into a scene, in place; its visible region, None where it is out of sight.

    Args:
        scene: BGR uint8 (H, W, 3).
        garment, mask: BGR uint8 (h, w, 3) and uint8 (h, w).
        centre: x, y in the scene, in pixels; angle in degrees, counter-clockwise.
    """
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    turn[:, 2] += centre[0] - width / 2, centre[1] - height / 2
    size = scene.shape[1::-1]
    colours = cv2.warpAffine(
        garment, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.warpAffine(mask, turn, size, flags=cv2.INTER_LINEAR)
    share = cover[..., None].astype(np.float32) / 255
    scene[:] = (scene * (1 - share) + colours * share).astype(np.uint8)
    return Region.from_mask(cv2.threshold(cover, 127, 255, cv2.THRESH_BINARY)[1])


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
    """A wooden floor: boards of slightly different brightness, dark joints, grain along them."""
    width, height = size
    board = max(8, height // 7)
    tones = rng.uniform(0.9, 1.08, height // board + 1)
    rows = np.repeat(tones, board)[:height]
    rows[::board] *= 0.8
    grain = cv2.GaussianBlur(rng.normal(0, 30, (height, width)), (0, 0), 9, sigmaY=0.7)
    scene = plain(size, rng, colour).astype(np.float32) * rows[:, None, None] + grain[..., None]
    return np.clip(scene, 0, 255).astype(np.uint8)


BACKGROUNDS = {"plain": plain, "gradient": gradient, "woven": woven, "boards": boards}
