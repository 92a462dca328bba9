"""Composes canvases: garments pasted on a background, with their exact boxes.

All randomness of a canvas comes from one generator, so that a canvas depends on its seed alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.images.regions import Region
from preprocessing.synthesis.camera_effects import add_camera_effects
from preprocessing.synthesis.cutouts import Background, blend, cut_out, tinted

MAX_GARMENTS = 8
EMPTY = 0.15  # fraction of canvases without a garment
TILE = 28  # pixels; the scale of a garment is its longer side over this
SCALES = (0.5, 8.0)
MAX_SIDE = 0.95  # of the canvas
ROTATION = 15.0  # degrees
ANY_ROTATION = 0.03  # fraction of garments that lie at any angle
PERSPECTIVE = 0.05  # shift of the corners, of the garment's side
MIN_INSIDE = 0.85  # fraction of a garment's pixels inside the canvas
MIN_VISIBLE = 0.85  # fraction of those that no later garment covers
MIN_PIXELS = 60  # visible; fewer cannot be told from noise
MIN_CONTRAST = 24.0  # mean difference from the background under the garment, of 255
TRIES = 12  # places tried for a garment before it is left out
PATTERN = 0.15  # fraction of garments with stripes, checks or grain
PATTERN_DEPTH = (0.08, 0.22)  # of the brightness: seams and buttons remain visible
DISTRACTORS = 4


@dataclass(frozen=True, eq=False)
class Cutout:
    """A garment without its background.

    Attributes:
        image: BGR uint8 (h, w, 3); mask: soft, uint8 (h, w); label: class id.
    """

    image: np.ndarray
    mask: np.ndarray
    label: int


@dataclass(frozen=True, eq=False)
class Placed:
    """A garment on a canvas.

    Attributes:
        label: class id.
        box: float32 (4,), x1 y1 x2 y2 around the visible part, half-open.
        inside: fraction of the garment inside the canvas.
        visible: fraction of that which no other garment covers.
    """

    label: int
    box: np.ndarray
    inside: float
    visible: float


@dataclass(frozen=True, eq=False)
class Canvas:
    """A scene, BGR uint8 (S, S, 3), with its garments."""

    image: np.ndarray
    garments: tuple[Placed, ...]


# From a generator and a side in pixels to a garment of about that size.
Garments = Callable[[np.random.Generator, int], Cutout]


@dataclass(frozen=True, eq=False)
class FashionGarments:
    """Cut-outs of Fashion-MNIST pictures uint8 (N, 28, 28) with labels (N,), in random colours."""

    pictures: np.ndarray
    labels: np.ndarray

    def __call__(self, rng: np.random.Generator, side: int) -> Cutout:
        index = rng.integers(len(self.labels))
        grey, mask = cut_out(self.pictures[index], max(side, TILE))
        image = tinted(grey, hue=rng.uniform(), saturation=rng.uniform(0, 0.8))
        return Cutout(image, mask, int(self.labels[index]))


@dataclass(frozen=True, eq=False)
class PhotoGarments:
    """Cut-outs of real photos, in slightly changed colours."""

    cutouts: Sequence[Cutout]

    def __call__(self, rng: np.random.Generator, side: int) -> Cutout:
        found = self.cutouts[int(rng.integers(len(self.cutouts)))]
        gain = rng.uniform(0.7, 1.25, 3).astype(np.float32) * rng.uniform(0.8, 1.15)
        image = np.clip(found.image * gain, 0, 255).astype(np.uint8)
        return Cutout(image, found.mask, found.label)


def compose(
    rng: np.random.Generator, size: int, *, garments: Garments, backgrounds: Sequence[Background]
) -> Canvas:
    """A canvas of `size` pixels with 0 to 8 garments, distractors, and camera effects."""
    colour = tuple(int(value) for value in rng.integers(15, 245, 3))
    draw = backgrounds[int(rng.integers(len(backgrounds)))]
    scene = _Scene(np.ascontiguousarray(draw((size, size), rng, colour)))
    for _ in range(rng.integers(0, DISTRACTORS + 1)):
        _distract(scene.image, rng, garments)
    wanted = 0 if rng.random() < EMPTY else int(rng.integers(1, MAX_GARMENTS + 1))
    for _ in range(wanted):
        scene.place(garments, rng)
    seen = add_camera_effects(_lit(scene.image, rng), rng, blur=0.15, noise=0.4, compression=0.5)
    return Canvas(seen, scene.visible())


def green_canvas(rng: np.random.Generator, size: int, garments: Garments) -> Canvas:
    """A canvas with one garment in the middle of a green screen."""
    scene = _Scene(np.full((size, size, 3), (0, 255, 0), np.uint8))
    found = garments(rng, size // 3)
    height, width = found.mask.shape
    quad = _corners(width, height) * (size / 3 / max(height, width)) + size / 2
    cover = _paste(scene.image, found, quad, blur=0.0)
    scene.add(found.label, cover > 127, inside=1.0)
    return Canvas(scene.image, scene.visible())


class _Scene:
    """A canvas in the making, which knows the garment that each pixel shows.

    Attributes:
        image: BGR uint8 (S, S, 3), changed in place.
    """

    def __init__(self, image: np.ndarray):
        self.image = image
        self._owner = np.zeros(image.shape[:2], np.uint8)  # number of a pixel's garment, from 1
        self._placed: list[tuple[int, float, int]] = []  # label, fraction inside, pixels inside

    def place(self, garments: Garments, rng: np.random.Generator) -> None:
        """Paste one garment where it hides no other too much, or none if there is no such place."""
        size = len(self.image)
        side = float(rng.uniform(SCALES[0] * TILE, min(SCALES[1] * TILE, MAX_SIDE * size)))
        found = garments(rng, round(side))
        found = Cutout(_patterned(found.image, rng), found.mask, found.label)
        for _ in range(TRIES):
            quad = _quad(found.mask.shape, side, rng) + rng.uniform(0, size, 2)
            inside, mask = _coverage(found.mask, quad, size)
            if inside < MIN_INSIDE or mask.sum() < MIN_PIXELS or self._hidden_by(mask):
                continue
            trial = self.image.copy()
            _paste(trial, found, quad, blur=float(rng.choice((0.0, 0.0, 0.7, 1.5))))
            if np.abs(trial[mask].astype(int) - self.image[mask]).mean() >= MIN_CONTRAST:
                self.image[:] = trial
                self.add(found.label, mask, inside=inside)
                return

    def add(self, label: int, mask: np.ndarray, *, inside: float) -> None:
        """Note that a garment covers the pixels of a mask, bool (S, S)."""
        self._placed.append((label, inside, int(mask.sum())))
        self._owner[mask] = len(self._placed)

    def _hidden_by(self, mask: np.ndarray) -> bool:
        """True if a new mask would leave too little of any garment visible."""
        return any(
            ((self._owner == number) & ~mask).sum() < MIN_VISIBLE * total
            for number, (_, _, total) in enumerate(self._placed, start=1)
        )

    def visible(self) -> tuple[Placed, ...]:
        """The garments with a visible part."""
        found = []
        for number, (label, inside, total) in enumerate(self._placed, start=1):
            mask = (self._owner == number).astype(np.uint8)
            region = Region.from_mask(mask)
            if region is not None:
                found.append(Placed(label, region.box, inside, float(mask.sum()) / total))
        return tuple(found)


def _corners(width: float, height: float) -> np.ndarray:
    """Corners (4, 2) of a rectangle around the origin, clockwise from the top left."""
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * (width / 2, height / 2)


def _quad(shape: tuple[int, ...], side: float, rng: np.random.Generator) -> np.ndarray:
    """The corners of a cut-out around the origin: scaled, mirrored, rotated and in perspective."""
    height, width = shape
    scale = side / max(height, width)
    corners = _corners(width * scale, height * scale)
    corners = corners + rng.uniform(-PERSPECTIVE, PERSPECTIVE, (4, 2)) * side
    corners = corners * (rng.choice((-1, 1)), 1)  # mirrored
    limit = 180.0 if rng.random() < ANY_ROTATION else ROTATION
    angle = np.radians(rng.uniform(-limit, limit))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (corners @ turn).astype(np.float32)


def _transform(shape: tuple[int, ...], quad: np.ndarray) -> np.ndarray:
    """The perspective transform (3, 3) of an image to the corners (4, 2)."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.getPerspectiveTransform(corners, quad.astype(np.float32))


def _coverage(mask: np.ndarray, quad: np.ndarray, size: int) -> tuple[float, np.ndarray]:
    """The fraction of a garment inside the canvas, and its pixels there, bool (S, S)."""
    left, top = np.floor(quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + 1
    turn = _transform(mask.shape, quad - np.array((left, top), np.float32))
    cover = cv2.warpPerspective(mask, turn, (int(right - left), int(bottom - top))) > 127
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, size), min(bottom, size)
    inner = np.zeros((size, size), bool)
    if x1 < x2 and y1 < y2:
        inner[y1:y2, x1:x2] = cover[y1 - top : y2 - top, x1 - left : x2 - left]
    return float(inner.sum()) / max(1, int(cover.sum())), inner


def _paste(image: np.ndarray, found: Cutout, quad: np.ndarray, *, blur: float) -> np.ndarray:
    """Blend a garment in, in place, its edge softened by `blur`; return its cover uint8 (S, S)."""
    turn, size = _transform(found.mask.shape, quad), image.shape[1::-1]
    colours = cv2.warpPerspective(
        found.image, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.warpPerspective(found.mask, turn, size, flags=cv2.INTER_LINEAR)
    blend(image, colours, cv2.GaussianBlur(cover, (0, 0), blur) if blur else cover)
    return cover


def _patterned(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image of a garment, with stripes, checks or grain in a fraction PATTERN of all cases."""
    if rng.random() >= PATTERN:
        return image
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period, angle = rng.uniform(0.04, 0.25) * max(height, width), rng.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    kind = rng.integers(3)
    if kind == 1:
        wave = wave * np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period)
    if kind == 2:
        wave = rng.normal(0, 1, (height, width)).astype(np.float32)
    shade = 1 + rng.uniform(*PATTERN_DEPTH) * wave
    return np.clip(image * shade[..., None], 0, 255).astype(np.uint8)


def _distract(image: np.ndarray, rng: np.random.Generator, garments: Garments) -> None:
    """Draw a distractor, in place: a shape, a line, or a rectangle of a garment's cloth."""
    size = len(image)
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    centre, extent = rng.uniform(0, size, 2), rng.uniform(0.03, 0.3, 2) * size
    kind = rng.integers(4)
    if kind == 0:
        points = centre + rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * extent
        cv2.fillPoly(image, [points.astype(np.int32)], colour, cv2.LINE_AA)
    elif kind == 1:
        axes = tuple(int(value) + 1 for value in extent / 2)
        cv2.ellipse(image, tuple(int(v) for v in centre), axes, rng.uniform(0, 180), 0, 360,
                    colour, cv2.FILLED if rng.random() < 0.6 else 2, cv2.LINE_AA)  # fmt: skip
    elif kind == 2:
        end = tuple(int(value) for value in rng.uniform(0, size, 2))
        cv2.line(image, tuple(int(v) for v in centre), end, colour, int(rng.integers(1, 9)))
    else:  # so that cloth alone is no sign of a garment
        cloth = garments(rng, int(max(extent)) + 1).image
        height, width = (max(2, int(value)) for value in extent)
        tile = cv2.resize(cloth[len(cloth) // 3 : -len(cloth) // 3], (width, height))
        left, top = (centre - (width / 2, height / 2)).astype(int)
        x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, size), min(top + height, size)
        if x2 > x1 and y2 > y1:
            image[y1:y2, x1:x2] = tile[y1 - top : y2 - top, x1 - left : x2 - left]


def _lit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The canvas, half of the time in uneven light."""
    size = len(image)
    if rng.random() < 0.5:
        x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
        slope = rng.uniform(-0.35, 0.35, 2)
        light = rng.uniform(0.75, 1.2) * (1 + slope[0] * x + slope[1] * y)
        image = np.clip(image * light[..., None], 0, 255).astype(np.uint8)
    return image
