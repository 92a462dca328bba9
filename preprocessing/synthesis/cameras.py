"""Cameras: light, optics, noise and compression of a whole scene, whichever part of it is drawn.

`camera_effects` augments single images; a camera gives all windows of a scene the same look.
"""

from dataclasses import dataclass

import cv2
import numpy as np

GAINS = (0.88, 1.14)  # of B, G and R: white balance
EXPOSURE, GAMMA = (0.65, 1.25), (0.7, 1.4)
LAMP, NIGHT = 0.1, 0.1  # fractions of scenes that are lit by a lamp, and by little
NOISY, UNEVEN, BLURRED, SMEARED, COMPRESSED, BENT = 0.5, 0.35, 0.4, 0.1, 0.55, 0.1  # fractions
MIN_BLUR, MIN_SMEAR, MIN_NOISE = 0.3, 3, 0.7  # pixels, pixels, grey values that can be seen


@dataclass(frozen=True, eq=False)
class Camera:
    """How a scene is lit and photographed.

    Attributes:
        table: uint8 (1, 256, 3): exposure, white balance and gamma by channel.
        slope: of the light over the frame's width and height, as fractions.
        noise: deviation, and blur: deviation in pixels, at the frame's own resolution.
        smear: pixels of motion, and its direction in degrees.
        quality: of a JPEG, 1 to 100; 0 for none.
        bend: of straight lines by a wide-angle lens.
    """

    table: np.ndarray
    slope: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    blur: float = 0.0
    smear: tuple[float, float] = (0.0, 0.0)
    quality: int = 0
    bend: float = 0.0

    def photograph(
        self, image: np.ndarray, *, view: np.ndarray, size: tuple[int, int], seed: int
    ) -> np.ndarray:
        """A window of a scene, BGR uint8 (H, W, 3), as the camera shows it.

        Args:
            view: float64 (2, 3), the map from the frame's pixels to the window's.
            size: width and height of the frame in pixels.
            seed: of the noise.
        """
        scale = float(view[0, 0] + view[1, 1]) / 2
        image = cv2.LUT(self._blurred(image, scale), self.table)
        if self.slope != (0.0, 0.0):
            image = _shaded(image, self.slope, view, size)
        noise = self.noise * min(1.0, scale)
        if noise > MIN_NOISE:
            grain = np.empty(image.shape, np.int16)
            cv2.setRNGSeed(seed)
            cv2.randn(grain, 0, noise)  # type: ignore[call-overload]
            image = cv2.add(image, grain, dtype=cv2.CV_8U)
        if self.quality:
            coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
            image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
        return image

    def _blurred(self, image: np.ndarray, scale: float) -> np.ndarray:
        if self.blur * scale > MIN_BLUR:
            image = cv2.GaussianBlur(image, (0, 0), self.blur * scale)
        length = int(self.smear[0] * scale)
        if length < MIN_SMEAR:
            return image
        line, middle = np.zeros((length, length), np.float32), (length - 1) / 2
        cv2.line(line, (0, length // 2), (length - 1, length // 2), (1.0,))
        turn = cv2.getRotationMatrix2D((middle, middle), self.smear[1], 1)
        kernel = cv2.warpAffine(line, turn, (length, length))
        weights = np.asarray(kernel, np.float32)
        return cv2.filter2D(image, -1, weights / max(float(weights.sum()), 1e-3))


def _shaded(
    image: np.ndarray, slope: tuple[float, float], view: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """A window under light that falls off over the frame."""
    height, width = image.shape[:2]
    x = (np.arange(width) - view[0, 2]) / view[0, 0] / size[0] - 0.5
    y = (np.arange(height) - view[1, 2]) / view[1, 1] / size[1] - 0.5
    light = 1 + slope[0] * x[None] + slope[1] * y[:, None]
    return np.clip(image * light[..., None].astype(np.float32), 0, 255).astype(np.uint8)


def random_camera(rng: np.random.Generator) -> Camera:
    """A webcam, a phone or a lamp-lit room, most of them a little wrong."""
    gains = rng.uniform(*GAINS, 3) * rng.uniform(*EXPOSURE)
    gamma, noise = rng.uniform(*GAMMA), 0.0
    chance = rng.random()
    if chance < LAMP:
        gains *= np.array([rng.uniform(0.55, 0.85), rng.uniform(0.85, 1.0), 1.1])
    elif chance < LAMP + NIGHT:
        gains *= rng.uniform(0.4, 0.75)
        noise = rng.uniform(4, 14)
    if rng.random() < NOISY:
        noise = max(noise, rng.uniform(1, 10))
    levels = 255 * (np.arange(256) / 255)[:, None] ** gamma * gains

    def sometimes(fraction: float, low: float, high: float) -> float:
        return float(rng.uniform(low, high)) if rng.random() < fraction else 0.0

    uneven = rng.random() < UNEVEN
    slope = (float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.6, 0.6)))
    return Camera(
        np.clip(levels, 0, 255).astype(np.uint8)[None],
        slope=slope if uneven else (0.0, 0.0),
        noise=noise,
        blur=sometimes(BLURRED, 0.4, 2.2),
        smear=(sometimes(SMEARED, 4, 14), float(rng.uniform(0, 180))),
        quality=int(sometimes(COMPRESSED, 28, 95)),
        bend=sometimes(BENT, 0.05, 0.25),
    )


def bending_map(shape: tuple[int, int], bend: float) -> tuple[np.ndarray, np.ndarray]:
    """For `cv2.remap`: a picture (height, width) through a wide-angle lens, straight lines bulge.

    Returns x and y in the picture of every pixel, float32 (H, W).
    """
    height, width = shape
    side = max(width, height)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = (x - width / 2) / side, (y - height / 2) / side
    grow = (1 + bend * 4 * (u**2 + v**2)) / (1 + bend)
    return u * grow * side + width / 2, v * grow * side + height / 2
