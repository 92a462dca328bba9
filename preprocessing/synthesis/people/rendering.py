"""Rendering of scenes: a ground and a stack of sprites, drawn window by window.

A window is drawn at the size that it is wanted in, so that the crop of a person costs what the crop
has pixels, not what the frame has.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from preprocessing.images.class_maps import BACKGROUND
from preprocessing.synthesis.cameras import Camera, bending_map
from preprocessing.synthesis.people.sprites import Sprite

NOBODY = 255  # owner of pixels that belong to no person
MIN_SIDE = 24  # pixels of the longer or shorter side of what is drawn before it is enlarged
FULL, HALF = 0.6, 0.3  # scales down to which a sprite's full and its half resolution are drawn
PLAIN = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Item:
    """A sprite in a scene: a person, or something that hides them or hangs behind them.

    Attributes:
        place: float64 (2, 3), the map from the sprite's pixels to the frame's.
        person: True if its classes count; else its pixels are background.
        gains: of B, G and R.
        whole: True for a photo that is drawn as a rectangle, its background included.
    """

    sprite: Sprite
    place: np.ndarray
    person: bool
    gains: tuple[float, float, float] = PLAIN
    whole: bool = False

    @property
    def box(self) -> np.ndarray:
        """The box float64 (4,) xyxy of the cut-out in the frame, hidden or outside or not."""
        x, y, width, height = self.sprite.box
        return _bounds((x, y, x + width, y + height), self.place)


@dataclass(frozen=True, eq=False)
class Scene:
    """A frame before it is drawn.

    Attributes:
        size: width and height in pixels.
        camera: that photographs it.
        ground: BGR uint8 (h, w, 3), and ground_place: float64 (2, 3), its map to the frame, beyond
            which it is mirrored; None for black.
        items: the farthest first.
    """

    size: tuple[int, int]
    camera: Camera
    ground: np.ndarray | None = None
    ground_place: np.ndarray | None = None
    items: list[Item] = field(default_factory=list)

    @property
    def people(self) -> list[int]:
        """Numbers of the items that are people."""
        return [number for number, item in enumerate(self.items) if item.person]

    @property
    def window(self) -> np.ndarray:
        """The whole frame as a window."""
        return np.array([0, 0, *self.size], float)


@dataclass(frozen=True, eq=False)
class Rendered:
    """A window of a scene.

    Attributes:
        image: BGR uint8 (H, W, 3).
        classes: uint8 (H, W).
        owners: numbers of the items that are people, or NOBODY, uint8 (H, W).
    """

    image: np.ndarray
    classes: np.ndarray
    owners: np.ndarray

    def bent(self, bend: float) -> "Rendered":
        """The window through a lens that bends: see `bending_map`. Black is what it lacks."""
        if not bend:
            return self
        x, y = bending_map(self.classes.shape, bend)
        return Rendered(
            cv2.remap(self.image, x, y, cv2.INTER_LINEAR),
            cv2.remap(self.classes, x, y, cv2.INTER_NEAREST, borderValue=BACKGROUND),
            cv2.remap(self.owners, x, y, cv2.INTER_NEAREST, borderValue=NOBODY),
        )


def view_of(window: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The map float64 (2, 3) from a frame's pixels to those of its window at a shape."""
    x, y = shape[1] / (window[2] - window[0]), shape[0] / (window[3] - window[1])
    return np.array([[x, 0, -window[0] * x], [0, y, -window[1] * y]])


def after(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """One affine map (2, 3) after another."""
    shift = second[:, :2] @ first[:, 2] + second[:, 2]
    return np.column_stack([second[:, :2] @ first[:, :2], shift])


def render(scene: Scene, window: np.ndarray, shape: tuple[int, int], *, seed: int) -> Rendered:
    """A window xyxy of a scene at a shape (height, width).

    What the frame shows smaller than the shape is drawn at the frame's own resolution, photographed
    and then enlarged, as a crop of a real frame is.

    Args:
        seed: of the camera's noise.
    """
    native = (window[3] - window[1]) / shape[0]
    drawn = shape if native >= 1 else _enlarged_from(shape, native)
    view = view_of(window, drawn)
    found = Rendered(
        np.zeros((*drawn, 3), np.uint8),
        np.full(drawn, BACKGROUND, np.uint8),
        np.full(drawn, NOBODY, np.uint8),
    )
    if scene.ground is not None and scene.ground_place is not None:
        cv2.warpAffine(scene.ground, after(view, scene.ground_place), drawn[::-1], dst=found.image,
                       flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    for number, item in enumerate(scene.items):
        _paste(found, item, after(view, item.place), number=number)
    photo = scene.camera.photograph(found.image, view=view, size=scene.size, seed=seed)
    found = Rendered(photo, found.classes, found.owners)
    _blacken(found, scene.size, view)
    return found if drawn == shape else _enlarged(found, shape)


def _enlarged_from(shape: tuple[int, int], native: float) -> tuple[int, int]:
    """The shape at which the frame's own pixels are drawn."""
    return max(MIN_SIDE, round(shape[0] * native)), max(MIN_SIDE, round(shape[1] * native))


def _enlarged(found: Rendered, shape: tuple[int, int]) -> Rendered:
    size = shape[::-1]
    return Rendered(
        cv2.resize(found.image, size, interpolation=cv2.INTER_LINEAR),
        cv2.resize(found.classes, size, interpolation=cv2.INTER_NEAREST),
        cv2.resize(found.owners, size, interpolation=cv2.INTER_NEAREST),
    )


def _bounds(box: tuple[float, float, float, float], place: np.ndarray) -> np.ndarray:
    """The box float64 (4,) xyxy around a box that an affine map moves."""
    x1, y1, x2, y2 = box
    corners = np.array([(x1, y1), (x2, y1), (x1, y2), (x2, y2)], float)
    moved = corners @ place[:, :2].T + place[:, 2]
    return np.concatenate([moved.min(axis=0), moved.max(axis=0)])


def _paste(found: Rendered, item: Item, place: np.ndarray, *, number: int) -> None:
    """Draw an item over what is there, in place.

    Args:
        place: the map from the sprite's pixels to the window's.
        number: of the item, for the owners of its pixels.
    """
    size = np.hypot(place[0, 0], place[1, 0])
    level = 0 if size > FULL else 1 if size > HALF else 2
    picture, labels, cover = item.sprite.level(level)
    place = place * np.array([[2**level, 2**level, 1]])
    x, y, w, h = np.array(item.sprite.box) / 2**level
    if item.whole:
        x, y, w, h = 0, 0, labels.shape[1], labels.shape[0]
        cover = np.full_like(cover, 255)
    bounds = _bounds((x, y, x + w, y + h), place)
    x1, y1 = np.maximum(np.floor(bounds[:2]), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(bounds[2:]) + 1, found.image.shape[1::-1]).astype(int)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    local = place - np.array([[0, 0, x1], [0, 0, y1]])
    window, part = (int(x2 - x1), int(y2 - y1)), np.s_[y1:y2, x1:x2]
    opacity = cv2.warpAffine(cover, local, window, flags=cv2.INTER_LINEAR)
    _blend(found.image[part], _coloured(picture, local, window, item.gains), opacity)
    shown = cv2.warpAffine(labels, local, window, flags=cv2.INTER_NEAREST)
    solid = opacity > 127
    found.classes[part][solid] = shown[solid] if item.person else BACKGROUND
    found.owners[part][solid] = NOBODY
    if item.person:
        mine = solid & (shown != BACKGROUND) if item.whole else solid
        found.owners[part][mine] = number


def _coloured(
    picture: np.ndarray,
    place: np.ndarray,
    size: tuple[int, int],
    gains: tuple[float, float, float],
) -> np.ndarray:
    moved = cv2.warpAffine(
        picture, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved if gains == PLAIN else cv2.multiply(moved, np.array([*gains, 0.0]))


def _blend(image: np.ndarray, colours: np.ndarray, opacity: np.ndarray) -> None:
    """Blend colours in, in place: `cutouts.blend` in whole numbers, which is faster."""
    share = cv2.merge([opacity] * 3)
    over = cv2.multiply(colours, share, scale=1 / 255)
    image[:] = cv2.add(over, cv2.multiply(image, 255 - share, scale=1 / 255))


def _blacken(found: Rendered, size: tuple[int, int], view: np.ndarray) -> None:
    """Make all black, background and nobody's outside of the frame, in place."""
    corners = np.array([(0, 0), size], float) * (view[0, 0], view[1, 1]) + view[:, 2]
    (x1, y1), (x2, y2) = np.clip(np.round(corners), 0, found.image.shape[1::-1]).astype(int)
    for part in (np.s_[:y1], np.s_[y2:], np.s_[:, :x1], np.s_[:, x2:]):
        found.image[part], found.classes[part] = 0, BACKGROUND
        found.owners[part] = NOBODY
