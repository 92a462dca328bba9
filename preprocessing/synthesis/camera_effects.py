"""Camera effects as augmentation: blur, noise, compression."""

import cv2
import numpy as np


def add_camera_effects(
    image: np.ndarray, rng: np.random.Generator, *, blur: float, noise: float, compression: float
) -> np.ndarray:
    """A BGR image (H, W, 3) as an imperfect camera would show it.

    Args:
        blur, noise, compression: probability of each effect.
    """
    if rng.random() < blur:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.8)))
    if rng.random() < noise:
        grain = rng.normal(0, rng.uniform(1, 12), image.shape)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    if rng.random() < compression:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
        encoded = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return image
