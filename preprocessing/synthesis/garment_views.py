"""Further views of a photographed garment: moved, its cloth displaced, in other light, elsewhere.

Photos of one garment from several sides are rare; these stand in for them where a garment has to be
recognised again.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.images.regions import Region
from preprocessing.synthesis.cameras import Camera
from preprocessing.synthesis.cutouts import blend, random_background

FOLD_CELLS = 4  # of the grid of points by which cloth is displaced
SIDES = 2  # width, height


@dataclass(frozen=True)
class Change:
    """How much views differ from the photo at most.

    Attributes:
        angle: in degrees.
        zoom: factor, above 1, by which the garment is smaller; a third of it, larger.
        tilt: of each corner, and shift: of the garment, as fractions of the picture's sides.
        folds: displacement of cloth, as a fraction of the longer side.
        elsewhere: fraction of views on another ground.
        gain: of each colour channel, exposure: of all, gamma: as fractions.
        slope: of the light over the picture.
        noise: deviation in grey levels, blur: deviation in pixels.
        quality: lowest of a JPEG.
    """

    angle: float = 25.0
    zoom: float = 1.4
    tilt: float = 0.06
    shift: float = 0.08
    folds: float = 0.025
    elsewhere: float = 0.5
    gain: float = 0.1
    exposure: float = 0.3
    gamma: float = 0.3
    slope: float = 0.3
    noise: float = 8.0
    blur: float = 1.5
    quality: int = 30


# Photographed again at the same place, by the same camera; and elsewhere, by any.
AGAIN = Change(
    angle=12.0, zoom=1.2, tilt=0.03, shift=0.05, folds=0.015, elsewhere=0.0, gain=0.04,
    exposure=0.15, gamma=0.12, slope=0.15, noise=4.0, blur=0.8, quality=60,
)  # fmt: skip
ELSEWHERE = Change()


def another_view(
    image: np.ndarray,
    region: Region | None,
    rng: np.random.Generator,
    change: Change = ELSEWHERE,
) -> tuple[np.ndarray, Region | None]:
    """A photo BGR uint8 (H, W, 3) as another one of the same garment, and the garment in it.

    Args:
        region: of the garment; without one it stays on its ground.
    """
    height, width = image.shape[:2]
    x, y = _displacements(width, height, rng, change)
    seen = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    cover = None if region is None else _moved_mask(region, x, y)
    if cover is not None and rng.random() < change.elsewhere:
        ground = random_background(None, max(width, height), rng)[:height, :width].copy()
        blend(ground, seen, cv2.GaussianBlur(cover, (3, 3), 0))
        seen = ground
    taken = _camera(rng, change).photograph(
        seen, view=np.eye(2, 3), size=(width, height), seed=int(rng.integers(1 << 31))
    )
    return taken, None if cover is None else Region.from_mask(cover)


def _camera(rng: np.random.Generator, change: Change) -> Camera:
    gains = rng.uniform(1 - change.gain, 1 + change.gain, 3)
    gains *= rng.uniform(1 - change.exposure, 1 + change.exposure / 2)
    gamma = rng.uniform(1 - change.gamma, 1 + change.gamma)
    levels = 255 * (np.arange(256) / 255)[:, None] ** gamma * gains
    slopes = rng.uniform(-change.slope, change.slope, SIDES)
    return Camera(
        np.clip(levels, 0, 255).astype(np.uint8)[None],
        slope=(float(slopes[0]), float(slopes[1])),
        noise=float(rng.uniform(0, change.noise)),
        blur=float(rng.uniform(0, change.blur)),
        quality=int(rng.integers(change.quality, 96)),
    )


def _moved_mask(region: Region, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A region's mask over the whole view, uint8 (H, W), 0 or 255."""
    x1, y1, x2, y2 = region.window
    whole = np.zeros(x.shape, np.uint8)
    whole[y1:y2, x1:x2] = region.mask
    return cv2.threshold(cv2.remap(whole, x, y, cv2.INTER_LINEAR), 127, 255, cv2.THRESH_BINARY)[1]


def _displacements(
    width: int, height: int, rng: np.random.Generator, change: Change
) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the view its place in the photo: x and y, float32 (H, W)."""
    angle = rng.uniform(-change.angle, change.angle)
    smaller = rng.uniform(1 - (change.zoom - 1) / 3, change.zoom)
    turn = np.vstack([
        cv2.getRotationMatrix2D((width / 2, height / 2), angle, smaller), (0, 0, 1)
    ])  # fmt: skip
    turn[:2, 2] += rng.uniform(-change.shift, change.shift, SIDES) * (width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    tilted = corners + rng.uniform(-change.tilt, change.tilt, (4, SIDES)) * (width, height)
    tilt = cv2.getPerspectiveTransform(corners, tilted.astype(np.float32))
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    places = cv2.perspectiveTransform(grid.reshape(-1, 1, SIDES), turn @ tilt).reshape(grid.shape)
    furthest = change.folds * max(width, height)
    folds = rng.uniform(-furthest, furthest, (FOLD_CELLS, FOLD_CELLS, SIDES)).astype(np.float32)
    places = places + cv2.resize(folds, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
