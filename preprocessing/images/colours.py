"""The colour name of a garment, corrected for the light of the scene.

Its pixels are clustered in CIELAB; the largest cluster gets the name of the nearest CSS colour,
mapped to the families of colours that people use for clothes.
"""

from collections.abc import Sequence

import numpy as np

from preprocessing.images.clusters import kmeans
from preprocessing.images.regions import Region

# CSS Color Module Level 4, section 6.1, with some tones of cloth added, and families that clothes
# need: beige, navy, teal.
FAMILIES = {
    "black": "000000 101418 1c1c1c 221e1a",
    "grey": "2f4f4f 696969 708090 778899 808080 a9a9a9 c0c0c0",
    "white": "dcdcdc f5f5f5 fffafa f0f8ff f8f8ff ffffff",
    "beige": "f5f5dc faf0e6 faebd7 ffebcd ffe4c4 f5deb3 d2b48c deb887 ffdead",
    "brown": "8b4513 a0522d a52a2a cd853f 5c4033 3d2b1f",
    "red": "8b0000 b22222 dc143c e02424 c83c3c ff0000 cd5c5c 800000",
    "orange": "ff4500 ff6347 ff7f50 d2691e e8761e f0842a ff8c00 ffa500",
    "yellow": "ffd700 ffff00 ffff66 daa520 f0e68c fafad2",
    "green": "006400 008000 556b2f 228b22 2e8b57 808000 6b8e23 3cb371 32cd32 00ff00 00ff7f 8fbc8f "
             "9acd32 7cfc00 90ee90 98fb98 adff2f",
    "teal": "008080 008b8b 20b2aa 40e0d0 48d1cc 00ced1 5f9ea0",
    "blue": "0000ff 0000cd 4169e1 4682b4 6495ed 1e90ff 00bfff 87cefa 87ceeb add8e6 b0c4de",
    "navy": "000080 191970 00008b 14183a 1b2a4a 1e2454 242b5a 2a2f66",
    "purple": "4b0082 800080 8b008b 483d8b 6a5acd 9400d3 9932cc ba55d3 8a2be2 9370db 663399 dda0dd "
              "ee82ee",
    "pink": "c71585 ff1493 db7093 ff69b4 f49ab4 d98880 e8a8a0 bc8f8f a86a74 ffb6c1 ffc0cb ff00ff",
}  # fmt: skip
SAMPLE = 400  # pixels of a garment; more change nothing
CLUSTERS = 3
SAME_CLOTH = 18.0  # difference in CIELAB's a and b under which clusters are one cloth
LIT = 60  # percentile of the pixels' lightness that counts as the cloth's own
LIGHTNESS = 0.7  # its weight beside hue and chroma: folds and shadows change it most
# The light is estimated from pixels that are bright and as yellow or blue as light sources are,
# from bulbs to overcast skies: in logarithms of linear red and blue over green these lie near a
# line. Cameras balance most pictures already: without such pixels nothing is corrected.
BRIGHT = 0.35  # linear level from which a pixel may be white
WARMEST, BLUEST, SLOPE, TOLERANCE = 0.36, -0.1, -2.4, 0.25
LEAST_WHITE = 0.01  # minimum fraction of such pixels in a frame
WHITE_LEVEL, WHITE_PERCENTILE = 0.85, 95  # level to which that percentile of them is exposed
MOST_EXPOSURE = 1.6  # maximum factor of that correction
LIGHT_STEP = 4  # every n-th pixel of a frame is enough for the light

# Linear BGR to CIE XYZ relative to white (IEC 61966-2-1, D65). OpenCV's own conversion fills tables
# that take a tenth of a second at every start.
XYZ = np.array([[0.1805 / 0.9505, 0.3576 / 0.9505, 0.4124 / 0.9505],
                [0.0722, 0.7152, 0.2126],
                [0.9505 / 1.089, 0.1192 / 1.089, 0.0193 / 1.089]], np.float32)  # fmt: skip
GAMMA = 2.2


def linear_to_lab(linear: np.ndarray) -> np.ndarray:
    """Linear BGR float32 (N, 3), 0 to 1, in CIELAB (CIE 15:2004), float32 (N, 3)."""
    relative = linear @ XYZ.T
    f = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


NAMES = tuple(name for name, codes in FAMILIES.items() for _ in codes.split())
_WEIGHTS = np.array((LIGHTNESS, 1, 1), np.float32)
_LINEAR = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
_CODES = [list(bytes.fromhex(code))[::-1] for some in FAMILIES.values() for code in some.split()]
_PALETTE = linear_to_lab(_LINEAR[np.array(_CODES)]) * _WEIGHTS


def illuminant_gains(image: np.ndarray, garments: Sequence[Region] = ()) -> np.ndarray:
    """Gains float32 (3,) for linear BGR that make a frame's light white and its exposure usual.

    Args:
        image: the whole frame, BGR uint8 (H, W, 3).
        garments: their boxes are left out: a beige coat is no white wall in the evening.
    """
    used = np.ones(image.shape[:2], bool)
    for region in garments:
        x1, y1, x2, y2 = region.window
        used[y1:y2, x1:x2] = False
    grid = (slice(None, None, LIGHT_STEP),) * 2
    linear = _LINEAR[image[grid][used[grid]]]
    bright = linear[linear[:, 1] >= BRIGHT]
    blue, _, red = (np.log(bright / bright[:, 1:2] + 1e-6)).T
    like_light = (red > BLUEST) & (red < WARMEST) & (np.abs(blue - SLOPE * red) < TOLERANCE)
    if like_light.sum() < max(1, LEAST_WHITE * len(linear)):
        return np.ones(3, np.float32)
    white = np.percentile(bright[like_light], 50, axis=0)  # np.median loads numpy.ma
    level = np.percentile(bright[like_light].mean(axis=1), WHITE_PERCENTILE)
    exposure = np.clip(WHITE_LEVEL / level, 1 / MOST_EXPOSURE, MOST_EXPOSURE)
    return (white.mean() / white * exposure).astype(np.float32)


def colour_name(pixels: np.ndarray, gains: np.ndarray) -> str:
    """The name, of FAMILIES, of most of a garment's pixels.

    Args:
        pixels: BGR uint8 (N, 3), N at least 1.
        gains: see `illuminant_gains`.
    """
    return nearest_name(cloth_colour(pixels, gains))


def nearest_name(lab: np.ndarray) -> str:
    """The name, of FAMILIES, of a colour in CIELAB (3,)."""
    return NAMES[int(np.square(_PALETTE - lab * _WEIGHTS).sum(axis=1).argmin())]


def lab_of_codes(codes: Sequence[str]) -> np.ndarray:
    """Colours such as "ffd700" in CIELAB, float32 (N, 3), as those of garments are measured."""
    return linear_to_lab(_LINEAR[np.array([list(bytes.fromhex(code))[::-1] for code in codes])])


def cloth_colour(pixels: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """The colour in CIELAB, float32 (3,), of most of a garment's pixels; see `colour_name`."""
    step = max(1, len(pixels) // SAMPLE)
    lab = linear_to_lab(np.clip(_LINEAR[pixels[::step]] * gains, 0, 1))
    if len(lab) > CLUSTERS:
        nearest, centres = kmeans(lab, CLUSTERS, iterations=10)
        largest = np.bincount(nearest, minlength=CLUSTERS).argmax()
        # Folds are darker parts of one cloth: they differ from it in lightness alone.
        alike = np.linalg.norm(centres[:, 1:] - centres[largest, 1:], axis=1) < SAME_CLOTH
        lab = lab[alike[nearest]]
    lightness, chroma = np.percentile(lab[:, 0], LIT), np.percentile(lab[:, 1:], 50, axis=0)
    return np.array((lightness, *chroma), np.float32)
