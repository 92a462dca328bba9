"""The colours of a person's clothes, by which the person tracker recognises people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preprocessing.images.colours import GAMMA, linear_to_lab
from preprocessing.labels import LAYERS
from realtime.types import Region

# Layers of the upper and the lower part of the body; a dress is halved. Bags, hats and shoes are
# small and come and go.
UPPER, LOWER = ("top", "outer", "dress"), ("dress", "trousers", "skirt", "shorts")
PARTS = (UPPER, LOWER)
SAMPLE = 800  # pixels of a garment's box, about; more change nothing
LEAST = 20  # of these, on cloth whose colours count
QUANTILES = np.linspace(0.05, 0.95, 10)
WEIGHTS = np.array((0.5, 1, 1), np.float32)  # of lightness, which shadows change most, a and b
_LINEAR = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
# A row of colours for each part as a whole, then one for each of its layers.
_ROWS = [(part, None) for part in range(len(PARTS))] + [
    (part, layer) for part, layers in enumerate(PARTS) for layer in layers
]

_LAYER_ROWS = [
    [row for row, (one, layer) in enumerate(_ROWS) if layer and one == part]
    for part in range(len(PARTS))
]


@dataclass(frozen=True, eq=False)
class ClothColours:
    """The colours of what a person wears: of each part of the body and of each of its layers.

    Attributes:
        quantiles: float32 (rows, 10, 3), of CIELAB's weighted channels: in another light they move
            a little, where the bins of a histogram would change.
        known: bool (rows,), True for the parts and layers that were seen.
    """

    quantiles: np.ndarray
    known: np.ndarray

    def distance(self, other: "ClothColours") -> float | None:
        """The mean over the parts of the body in common; None if there is none."""
        found = self.distances(other)
        return sum(found) / len(found) if found else None

    def distances(self, other: "ClothColours") -> list[float]:
        """The distance of each part of the body that both know.

        It is the earth mover's distance of the part's colours, or that of the layers that were seen
        both times if it is smaller: a jacket may be missed, a top be taken for a dress.
        """
        both = (self.known & other.known).tolist()
        change = np.abs(self.quantiles - other.quantiles).reshape(len(both), -1)
        each = (change.sum(axis=1) / change.shape[1]).tolist()
        found = []
        for part, rows in enumerate(_LAYER_ROWS):
            if both[part]:
                common = [each[row] for row in rows if both[row]]
                found.append(
                    min([each[part], sum(common) / len(common)] if common else [each[part]])
                )
        return found

    def blended(self, other: "ClothColours", weight: float) -> "ClothColours":
        """The mean with `weight`, 0 to 1, for the other; what one alone knows is that one's."""
        weights = np.where(other.known, np.where(self.known, weight, 1), 0).astype(np.float32)
        change = weights[:, None, None] * (other.quantiles - self.quantiles)
        return ClothColours(self.quantiles + change, self.known | other.known)


def cloth_colours(image: np.ndarray, regions: Sequence[Region]) -> ClothColours:
    """The colours of one person's garments in a BGR image (H, W, 3)."""
    return colours_of([piece for region in regions for piece in _pieces(image, region)])


def colours_of(pieces: Sequence[tuple[int, str, np.ndarray]]) -> ClothColours:
    """The colours of cloth.

    Args:
        pieces: for each the part of the body, the layer, and pixels BGR uint8 (N, 3).
    """
    quantiles = np.zeros((len(_ROWS), len(QUANTILES), 3), np.float32)
    known = np.zeros(len(_ROWS), bool)
    for part, rows in enumerate(_LAYER_ROWS):
        of_part = [(layer, pixels) for one, layer, pixels in pieces if one == part]
        for row in (part, *rows):
            some = [pixels for layer, pixels in of_part if _ROWS[row][1] in (None, layer)]
            if len(some) == len(of_part) and known[part]:
                quantiles[row], known[row] = quantiles[part], True  # the only layer
            elif sum(map(len, some)) >= LEAST:
                quantiles[row], known[row] = _quantiles(np.concatenate(some)), True
    return ClothColours(quantiles, known)


def _quantiles(pixels: np.ndarray) -> np.ndarray:
    lab = np.sort(linear_to_lab(_LINEAR[pixels]) * WEIGHTS, axis=0)
    return lab[np.rint(QUANTILES * (len(lab) - 1)).astype(int)]


def _pieces(image: np.ndarray, region: Region) -> list[tuple[int, str, np.ndarray]]:
    """A garment's cloth on each part of the body: see `colours_of`."""
    layer = "" if region.scores is None else LAYERS[int(region.scores.argmax())]
    parts = [part for part, layers in enumerate(PARTS) if layer in layers]
    x1, y1, x2, y2 = region.window
    step = max(1, round((region.mask.size / SAMPLE) ** 0.5))
    mask, pixels = region.mask[::step, ::step] > 0, image[y1:y2:step, x1:x2:step]
    ends = np.linspace(0, len(mask), len(parts) + 1).astype(int)
    return [
        (part, layer, pixels[start:end][mask[start:end]])
        for part, start, end in zip(parts, ends, ends[1:], strict=False)
    ]
