"""Draws garments and the head-up display (HUD) on a copy of a frame.

Texts are rendered once and cached as small images: drawing a known text is one slice assignment.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from preprocessing.labels import general_names
from realtime.types import FOUND, UNKNOWN, Garment

FONT = cv2.FONT_HERSHEY_SIMPLEX
UNKNOWN_COLOUR = (150, 150, 150)
HUD_COLOUR = (40, 40, 40)
# BGR, distinct under common colour-vision deficiencies (Okabe and Ito 2008), and lighter variants
# for further classes.
PALETTE = (
    (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0),
    (0, 94, 213), (167, 121, 204), (120, 200, 255), (255, 220, 160), (140, 230, 140),
)  # fmt: skip
# The same for general names ("top"), paler than all of those.
GENERAL_PALETTE = ((235, 225, 240), (225, 190, 235), (190, 225, 225), (245, 230, 200))
TEXT_SCALE = 0.034  # height of a text line, relative to the frame's shorter side
FOUND_WIDTH = 3  # times the usual line, around garments that were looked for
MIN_TEXT, MAX_TEXT = 13, 96  # pixels


class Annotator:
    """Draws boxes, outlines, labels and the HUD line, at sizes that suit the frame's.

    Args:
        classes: names, each with a colour of its own; so has each more general name.
        colour: True to write each garment's colour on its label.
    """

    def __init__(self, classes: Sequence[str], *, colour: bool = False):
        self._writes_colour = colour
        general = dict.fromkeys(name for one in classes for name in general_names(one))
        self._colours = {
            **{name: GENERAL_PALETTE[i % len(GENERAL_PALETTE)] for i, name in enumerate(general)},
            **{name: PALETTE[i % len(PALETTE)] for i, name in enumerate(classes)},
            UNKNOWN: UNKNOWN_COLOUR,
        }

    def __call__(self, image: np.ndarray, garments: Sequence[Garment], hud: str) -> np.ndarray:
        """Return a copy of a BGR image (H, W, 3) with the garments and the HUD line drawn on it."""
        picture = image.copy()
        text = text_height(picture)
        line = max(1, round(text / 8))
        taken = [_paste(picture, sprite(hud, text, HUD_COLOUR), 0, 0)] if hud else []
        several = len({garment.person for garment in garments if garment.person}) > 1
        for garment in garments:
            width = FOUND_WIDTH * line if FOUND in garment.attributes else line
            _outline(picture, garment, self.shade(garment.label.name), width)
        for garment in garments:
            content = self._text(garment, numbered=several)
            label = sprite(content, text, self.shade(garment.label.name))
            x, y = place(label.shape, garment.region.box, frame=picture.shape, taken=taken)
            taken.append(_paste(picture, label, x, y))
        return picture

    def shade(self, label: str) -> tuple[int, int, int]:
        """The colour (blue, green, red) in which the garments of a label are drawn."""
        return self._colours.get(label, UNKNOWN_COLOUR)

    def _text(self, garment: Garment, *, numbered: bool) -> str:
        """The text of a label, e.g. "2: blue t-shirt 93%, short sleeves".

        Args:
            numbered: it begins with the number of the person who wears the garment.
        """
        number = f"{garment.person}: " if numbered and garment.person else ""
        colour = f"{garment.colour} " if self._writes_colour and garment.colour else ""
        named = f"{number}{colour}{garment.label.name} {garment.label.probability:.0%}"
        return ", ".join([named, *garment.attributes.values()])


def text_height(image: np.ndarray) -> int:
    """Height of a line of text, in pixels, that is legible on an image of this size."""
    return int(np.clip(TEXT_SCALE * min(image.shape[:2]), MIN_TEXT, MAX_TEXT))


@lru_cache(maxsize=256)
def sprite(text: str, height: int, colour: tuple[int, int, int]) -> np.ndarray:
    """Text, black or white by contrast, on a coloured background: BGR uint8 (height, w, 3)."""
    scale = cv2.getFontScaleFromHeight(FONT, round(0.55 * height), 1)
    weight = max(1, round(height / 18))
    (width, _), _ = cv2.getTextSize(text, FONT, scale, weight)
    background = np.full((height, width + height // 2, 3), colour, np.uint8)
    blue, green, red = colour
    ink = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 110 else (255, 255, 255)
    cv2.putText(
        background, text, (height // 4, round(0.76 * height)), FONT, scale, ink, weight, cv2.LINE_AA
    )
    return background


def place(
    label: tuple[int, ...],
    box: np.ndarray,
    *,
    frame: tuple[int, ...],
    taken: list[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Return left and top of a label: inside the frame and, if there is room, off the others.

    Above the box is best, then just inside it, then below it, then the first free row of the frame.

    Args:
        label, frame: shapes (height, width, ...).
        box: float32 (4,) xyxy of the garment.
        taken: x1 y1 x2 y2 of what is already placed.
    """
    height, width = label[:2]
    left = int(np.clip(box[0], 0, max(0, frame[1] - width)))
    lowest = max(0, frame[0] - height)
    candidates = [int(box[1]) - height, int(box[1]), int(box[3]), *range(0, lowest + 1, height)]
    for top in candidates:
        spot = (left, top, left + width, top + height)
        if 0 <= top <= lowest and not any(_overlap(spot, other) for other in taken):
            return left, top
    return left, int(np.clip(candidates[0], 0, lowest))


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _paste(image: np.ndarray, label: np.ndarray, x: int, y: int) -> tuple[int, int, int, int]:
    """Draw a sprite on the image, clipped at its border; return the place it took."""
    height = min(label.shape[0], image.shape[0] - y)
    width = min(label.shape[1], image.shape[1] - x)
    image[y : y + height, x : x + width] = label[:height, :width]
    return x, y, x + width, y + height


def _outline(image: np.ndarray, garment: Garment, colour: tuple[int, int, int], line: int) -> None:
    """Draw the box and the outline of the mask."""
    x1, y1, x2, y2 = garment.region.window
    cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, line)
    contours, _ = cv2.findContours(
        garment.region.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(x1, y1)
    )
    cv2.drawContours(image, contours, -1, colour, line)
