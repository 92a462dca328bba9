"""Drawn rooms without anybody in them: floors, curtains, beds, shelves, hanging clothes."""

from collections.abc import Sequence

import cv2
import numpy as np

from preprocessing.synthesis.cutouts import boards, checks
from preprocessing.synthesis.people.sprites import Sprite

CLOTH_SIDE = 96  # pixels of a piece of cloth
WIDTH, HEIGHT = 512, 352  # pixels of a room
CARPET, SHELF, BED = 0.35, 0.3, 0.5  # fractions of rooms with one
HANGING = (0, 0, 1, 2, 4)  # numbers of hanging garments, equally frequent
MIN_GARMENT = 8  # pixels of a garment that can be hung


def cloth(garment: Sprite) -> np.ndarray:
    """A piece of cloth out of a garment's middle, BGR uint8 (CLOTH_SIDE, CLOTH_SIDE, 3)."""
    x, y, w, h = garment.box
    part = garment.image[y + h // 3 : y + 2 * h // 3 + 2, x + w // 3 : x + 2 * w // 3 + 2]
    return cv2.resize(part, (CLOTH_SIDE, CLOTH_SIDE), interpolation=cv2.INTER_LINEAR)


def drawn_room(
    rng: np.random.Generator, *, cloths: Sequence[np.ndarray], garments: Sequence[Sprite]
) -> np.ndarray:
    """A room, BGR uint8 (HEIGHT, WIDTH, 3).

    Args:
        cloths: of which curtains, beds and carpets are made, see `cloth`.
        garments: of which some hang on the wall.
    """
    wall = rng.uniform(70, 245, 3) * 0.5 + rng.uniform(70, 245) * 0.5
    light = 1 + rng.uniform(-0.3, 0.3) * np.linspace(-1, 1, WIDTH)[None, :, None]
    room = np.clip(wall * light * np.ones((HEIGHT, 1, 1)), 0, 255).astype(np.uint8)
    horizon = int(HEIGHT * rng.uniform(0.5, 0.85))
    _floor(room, horizon, rng, cloths)
    for _ in range(rng.integers(0, 4)):
        _panel(room, horizon, rng)
    for _ in range(rng.integers(0, 3)):
        _curtain(room, rng, _any(cloths, rng))
    if rng.random() < SHELF:
        _shelf(room, rng)
    for _ in range(int(rng.choice(HANGING))):
        _hang(room, rng, garments[int(rng.integers(len(garments)))])
    if rng.random() < BED:
        _bed(room, horizon, rng, cloths)
    soft = cv2.GaussianBlur(room, (0, 0), rng.uniform(0.4, 1.4))
    return np.clip(soft + rng.normal(0, 2, soft.shape), 0, 255).astype(np.uint8)


def _any(cloths: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return cloths[int(rng.integers(len(cloths)))]


def _tone(rng: np.random.Generator, darkest: int = 20, brightest: int = 245) -> tuple[int, ...]:
    """A random colour, BGR."""
    return tuple(int(value) for value in rng.integers(darkest, brightest, 3))


def _floor(
    room: np.ndarray, horizon: int, rng: np.random.Generator, cloths: Sequence[np.ndarray]
) -> None:
    """Draw boards, tiles or a carpet in perspective below the horizon, in place."""
    draw = boards if rng.random() < 0.5 else checks
    texture = draw((256, 256), rng, _tone(rng, 50, 220))
    if rng.random() < CARPET:
        texture = np.tile(cv2.resize(_any(cloths, rng), (64, 64)), (4, 4, 1))
    top = horizon / HEIGHT
    _lay(room, texture, [(-0.1, top), (1.1, top), (1.8, 1.1), (-0.8, 1.1)])


def _lay(room: np.ndarray, texture: np.ndarray, corners: Sequence[tuple[float, float]]) -> None:
    """Draw a texture on a quadrilateral, its corners as fractions of the room, in place."""
    quad = (np.array(corners) * (WIDTH, HEIGHT)).astype(np.float32)
    height, width = texture.shape[:2]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    move = cv2.getPerspectiveTransform(source, quad)
    laid = cv2.warpPerspective(texture, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    cover = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(cover, quad.astype(np.int32), (1,))
    room[cover > 0] = laid[cover > 0]


def _panel(room: np.ndarray, horizon: int, rng: np.random.Generator) -> None:
    """Draw a door, a window, a wardrobe or a picture on the wall, in place."""
    x, width = int(rng.uniform(0, 0.9) * WIDTH), int(rng.uniform(0.08, 0.35) * WIDTH)
    top = int(rng.uniform(0.02, 0.4) * HEIGHT)
    bottom = horizon if rng.random() < 0.5 else int(top + rng.uniform(0.1, 0.4) * HEIGHT)
    tone = _tone(rng)
    edge = tuple(int(value * 0.7) for value in tone)
    cv2.rectangle(room, (x, top), (x + width, bottom), tone, cv2.FILLED)
    cv2.rectangle(room, (x, top), (x + width, bottom), edge, int(rng.integers(1, 5)))
    if rng.random() < 0.5:
        cv2.line(room, (x + width // 2, top), (x + width // 2, bottom), edge, 2)


def _curtain(room: np.ndarray, rng: np.random.Generator, piece: np.ndarray) -> None:
    """Draw cloth in folds from a rail down, in place."""
    width, height = int(rng.uniform(0.08, 0.4) * WIDTH), int(rng.uniform(0.3, 0.95) * HEIGHT)
    x, y = int(rng.uniform(-0.05, 0.9) * WIDTH), int(rng.uniform(0, 0.15) * HEIGHT)
    if rng.random() < 0.5:  # one colour
        piece = np.full_like(piece, rng.integers(20, 240, 3))
    hung = cv2.resize(np.tile(piece, (3, 2, 1)), (width, height)).astype(np.float32)
    across = np.linspace(0, 1, width)
    folds = np.sin(2 * np.pi * (rng.uniform(3, 14) * across + 0.4 * np.sin(5 * across)))
    depth = rng.uniform(0.1, 0.45) * np.linspace(0.6, 1, height)
    shaded = hung * (1 + folds[None, :, None] * depth[:, None, None])
    shown = np.clip(shaded, 0, 255).astype(np.uint8)
    x1, x2, y2 = max(x, 0), min(x + width, WIDTH), min(y + height, HEIGHT)
    room[y:y2, x1:x2] = shown[: y2 - y, x1 - x : x2 - x]


def _shelf(room: np.ndarray, rng: np.random.Generator) -> None:
    """Draw boards with things on them, in place."""
    x, width = int(rng.uniform(0, 0.7) * WIDTH), int(rng.uniform(0.15, 0.4) * WIDTH)
    top, step = int(rng.uniform(0.05, 0.4) * HEIGHT), int(rng.uniform(0.09, 0.18) * HEIGHT)
    for row in range(int(rng.integers(2, 5))):
        y, left = top + (row + 1) * step, x
        while left < x + width:
            wide, tall = int(rng.integers(3, 24)), int(step * rng.uniform(0.3, 0.95))
            right = min(left + wide, x + width)
            cv2.rectangle(room, (left, y - tall), (right, y), _tone(rng, 10), cv2.FILLED)
            left += wide + int(rng.integers(0, 6))
        cv2.line(room, (x, y), (x + width, y), _tone(rng, 30, 200), 3)


def _hang(room: np.ndarray, rng: np.random.Generator, garment: Sprite) -> None:
    """Draw a garment on the wall, in place."""
    x, y, w, h = garment.box
    if min(w, h) < MIN_GARMENT:
        return
    height = int(rng.uniform(0.15, 0.5) * HEIGHT)
    size = max(4, int(height * w / h * rng.uniform(0.45, 1.0))), height
    window = np.s_[y : y + h, x : x + w]
    image = cv2.resize(garment.image[window], size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(garment.cover[window], size, interpolation=cv2.INTER_AREA)
    left, top = int(rng.uniform(0, 1) * (WIDTH - 8)), int(rng.uniform(0.02, 0.5) * HEIGHT)
    part = room[top : top + size[1], left : left + size[0]]
    share = cover[: part.shape[0], : part.shape[1], None] / 255.0
    part[:] = image[: part.shape[0], : part.shape[1]] * share + part * (1 - share)


def _bed(
    room: np.ndarray, horizon: int, rng: np.random.Generator, cloths: Sequence[np.ndarray]
) -> None:
    """Draw a bed or a sofa with a cover and pillows, in place."""
    left, width = rng.uniform(-0.3, 0.6), rng.uniform(0.3, 0.8)
    top = horizon / HEIGHT - rng.uniform(-0.02, 0.12)
    bottom, right, skew = top + rng.uniform(0.1, 0.4), left + width, rng.uniform(-0.15, 0.15)
    texture = np.tile(_any(cloths, rng), (2, 3, 1))
    side = (texture * rng.uniform(0.4, 0.8)).astype(np.uint8)
    _lay(room, texture, [(left + skew, top), (right + skew, top), (right, bottom), (left, bottom)])
    _lay(room, side, [(left, bottom), (right, bottom), (right, bottom + 0.12),
                      (left, bottom + 0.12)])  # fmt: skip
    for _ in range(rng.integers(0, 4)):
        centre = int((left + rng.uniform(0.1, 0.9) * width) * WIDTH), int(top * HEIGHT)
        axes = int(rng.uniform(0.04, 0.1) * WIDTH), int(rng.uniform(0.03, 0.06) * HEIGHT)
        angle = float(rng.uniform(-20, 20))
        cv2.ellipse(room, centre, axes, angle, 0, 360, _tone(rng, 40), cv2.FILLED)
