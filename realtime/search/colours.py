"""Colours by name as neighbourhoods in CIELAB: how well each cell of it fits the words.

A family of `preprocessing.images.colours` fits where its nearest tone is nearer than that of the
other families; a name of a single tone fits around that tone.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from preprocessing.images.colours import FAMILIES, lab_of_codes
from realtime.search.schema import cell_centres

FAMILY_WORDS = {
    **{name: name for name in FAMILIES},
    "gray": "grey", "violet": "purple", "offwhite": "white", "magenta": "pink",
}  # fmt: skip
# Names of tones, with the families under which such a garment may be known as well.
TONES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "mustard": ("c99a1e b8860b d4a017", ("yellow", "orange")),
    "maroon": ("800000 5c1a1b", ("red", "brown")),
    "burgundy": ("800020 5e1224", ("red", "purple")),
    "crimson": ("dc143c b22222", ("red",)),
    "khaki": ("c3b091 8f8a5f a89f6b", ("beige", "green")),
    "olive": ("808000 556b2f 6b6b35", ("green",)),
    "turquoise": ("40e0d0 30c5b5", ("teal",)),
    "cyan": ("00ced1 00ffff", ("teal", "blue")),
    "cream": ("fffdd0 f5f0dc", ("beige", "white")),
    "ivory": ("fffff0 f5f0e1", ("white", "beige")),
    "tan": ("d2b48c c19a6b", ("beige", "brown")),
    "camel": ("c19a6b b8874f", ("beige", "brown")),
    "charcoal": ("36454f 3a3d42 2b2f33", ("grey", "black")),
    "silver": ("c0c0c0 b4b8bc", ("grey",)),
    "lilac": ("c8a2c8 d8bfd8", ("purple", "pink")),
    "lavender": ("b8a9d9 dcd0ff", ("purple",)),
    "coral": ("ff7f50 f0826a", ("orange", "pink")),
    "salmon": ("fa8072 e9967a", ("pink", "orange")),
    "gold": ("daa520 ffd700", ("yellow",)),
    "rust": ("b7410e 8f3f1b", ("orange", "brown")),
    "mint": ("98ff98 aaf0c8", ("green", "teal")),
    "denim": ("4a6a8f 2f4763 6f8fb0 1f2f4a", ("blue", "navy")),
}
LIGHT_WORDS = {
    "light": (62.0, 1), "pale": (68.0, 1), "bright": (55.0, 1), "pastel": (70.0, 1),
    "dark": (38.0, -1), "deep": (40.0, -1),
}  # lightness from which on, and direction  # fmt: skip
WORDS = (*FAMILY_WORDS, *TONES)
SHARPNESS = 6.0  # difference of CIELAB distances that makes a family e times as fitting
OVERLAP = 6.0  # difference up to which a further family fits: names of colours have no borders
SHADE = 0.5  # weight of lightness beside hue and chroma, of families
TONE_SHADE = 0.35  # and of tones, which are known by their hue
REACH = 22.0  # distance from a tone at which it still fits to a part of 1/e
LIGHT_STEP = 7.0  # of lightness, over which "light" begins to fit


@cache
def _distances() -> dict[str, np.ndarray]:
    """By family, the distance of every cell's centre to the nearest of its tones."""
    return {name: _to(codes, SHADE) for name, codes in FAMILIES.items()}


def _to(codes: str, lightness: float) -> np.ndarray:
    weights = np.array((lightness, 1, 1))
    tones, centres = lab_of_codes(codes.split()) * weights, cell_centres() * weights
    return np.linalg.norm(centres[:, None] - tones[None], axis=2).min(axis=1)


def fitting(words: tuple[str, ...]) -> np.ndarray:
    """How well each cell fits colour words of which one has to: float64 (cells,), 0 to 1."""
    return np.max([_fit(word) for word in words], axis=0)


def _fit(word: str) -> np.ndarray:
    if word in TONES:
        return np.exp(-((_to(TONES[word][0], TONE_SHADE) / REACH) ** 2))
    distances = _distances()
    own = distances[FAMILY_WORDS[word]]
    others = np.min([d for name, d in distances.items() if name != FAMILY_WORDS[word]], axis=0)
    return 1 / (1 + np.exp((own - others - OVERLAP) / SHARPNESS))


def lightness_fitting(word: str) -> np.ndarray:
    """How well each cell fits a word of LIGHT_WORDS: float64 (cells,), 0 to 1."""
    middle, sign = LIGHT_WORDS[word]
    return 1 / (1 + np.exp(-sign * (cell_centres()[:, 0] - middle) / LIGHT_STEP))


def lightness_of(family: str) -> float:
    """The usual lightness of a family of colours, 0 to 100."""
    return float(lab_of_codes(FAMILIES[family].split())[:, 0].mean())


def families(words: tuple[str, ...]) -> dict[str, float]:
    """Names of FAMILIES that the words mean, each with how well it fits by itself."""
    found: dict[str, float] = {}
    for word in words:
        near = TONES[word][1] if word in TONES else ()
        found |= {name: 0.6 for name in near if name not in found}
        if word in FAMILY_WORDS:
            found[FAMILY_WORDS[word]] = 1.0
    return found
