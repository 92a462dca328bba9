"""Draws garments and the head-up display on a frame, in place.

Texts are rendered once and kept as small images: drawing a known text is one slice assignment.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from realtime.types import UNKNOWN, Garment

FONT = cv2.FONT_HERSHEY_SIMPLEX
UNKNOWN_COLOUR = (150, 150, 150)
HUD_COLOUR = (40, 40, 40)
# BGR, far apart from each other for common colour-vision deficiencies (Okabe and Ito 2008, and two
# greys' worth of lighter variants for classes nine and ten).
PALETTE = (
    (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0),
    (0, 94, 213), (167, 121, 204), (120, 200, 255), (255, 220, 160), (140, 230, 140),
)  # fmt: skip
TEXT_SHARE = 0.034  # height of a text line as a share of the frame's shorter side
MIN_TEXT, MAX_TEXT = 13, 96  # pixels


class Annotator:
    """Draws in the style that the frame's size asks for.

    Args:
        classes: names, for one colour each.
        colour: whether labels tell the garment's colour.
    """

    def __init__(self, classes: Sequence[str], *, colour: bool = False):
        self._tell_colour = colour
        self._colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(classes)}
        self._colours[UNKNOWN] = UNKNOWN_COLOUR

    def __call__(self, image: np.ndarray, garments: list[Garment], hud: str) -> None:
        """Draw boxes, outlines, labels and the HUD line on a BGR image."""
        text = text_height(image)
        line = max(1, round(text / 8))
        taken = [_paste(image, sprite(hud, text, HUD_COLOUR), 0, 0)] if hud else []
        for garment in garments:
            _outline(image, garment, self._colours[garment.label.name], line)
        for garment in garments:
            label = sprite(self._text(garment), text, self._colours[garment.label.name])
            x, y = place(label.shape, garment.region.box, image.shape, taken)
            taken.append(_paste(image, label, x, y))

    def shade(self, label: str) -> tuple[int, int, int]:
        """The colour (blue, green, red) in which a label's garments are drawn."""
        return self._colours.get(label, UNKNOWN_COLOUR)

    def _text(self, garment: Garment) -> str:
        """ "blue t-shirt 93%, short sleeves": what a label says."""
        colour = f"{garment.colour} " if self._tell_colour and garment.colour else ""
        named = f"{colour}{garment.label.name} {garment.label.probability:.0%}"
        return ", ".join([named, *garment.attributes.values()])


def text_height(image: np.ndarray) -> int:
    """Height of a line of text, in pixels, that is legible on an image of this size."""
    return int(np.clip(TEXT_SHARE * min(image.shape[:2]), MIN_TEXT, MAX_TEXT))


@lru_cache(maxsize=256)
def sprite(text: str, height: int, colour: tuple[int, int, int]) -> np.ndarray:
    """The text on a coloured ground, black or white by contrast: BGR uint8, `height` rows high."""
    scale = cv2.getFontScaleFromHeight(FONT, round(0.55 * height), 1)
    weight = max(1, round(height / 18))
    (width, _), _ = cv2.getTextSize(text, FONT, scale, weight)
    ground = np.full((height, width + height // 2, 3), colour, np.uint8)
    blue, green, red = colour
    ink = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 110 else (255, 255, 255)
    cv2.putText(
        ground, text, (height // 4, round(0.76 * height)), FONT, scale, ink, weight, cv2.LINE_AA
    )
    return ground


def place(
    label: tuple[int, ...],
    box: np.ndarray,
    frame: tuple[int, ...],
    taken: list[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Left and top of a label: inside the frame and, where there is room, off the others.

    Above the box is best, then just inside it, then below it, then wherever down the frame a row
    is free.

    Args:
        label, frame: shapes (height, width, ...).
        box: float32 (4,) xyxy of the garment.
        taken: x1 y1 x2 y2 of what is already placed.
    """
    height, width = label[:2]
    left = int(np.clip(box[0], 0, max(0, frame[1] - width)))
    lowest = max(0, frame[0] - height)
    wishes = [int(box[1]) - height, int(box[1]), int(box[3]), *range(0, lowest + 1, height)]
    for top in wishes:
        spot = (left, top, left + width, top + height)
        if 0 <= top <= lowest and not any(_overlap(spot, other) for other in taken):
            return left, top
    return left, int(np.clip(wishes[0], 0, lowest))


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _paste(image: np.ndarray, label: np.ndarray, x: int, y: int) -> tuple[int, int, int, int]:
    """Put a sprite on the image, cut off at its border; the place it took."""
    height = min(label.shape[0], image.shape[0] - y)
    width = min(label.shape[1], image.shape[1] - x)
    image[y : y + height, x : x + width] = label[:height, :width]
    return x, y, x + width, y + height


def _outline(image: np.ndarray, garment: Garment, colour: tuple[int, int, int], line: int) -> None:
    """The box, and the outline of the mask where it is more than the box."""
    x1, y1, x2, y2 = garment.region.window
    cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, line)
    contours, _ = cv2.findContours(
        garment.region.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(x1, y1)
    )
    cv2.drawContours(image, contours, -1, colour, line)
