"""Views that a parser learns from and is validated on: photos, cropped and augmented or whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from preprocessing.errors import DataError
from preprocessing.images.class_maps import BACKGROUND, UNKNOWN_PIXEL
from preprocessing.images.pictures import picture_paths
from preprocessing.processes import clean_context
from preprocessing.synthesis.camera_effects import add_camera_effects
from preprocessing.synthesis.cutouts import Patches, random_background
from training.parsing.data import (
    AnnotatedPhoto,
    MaskedPhoto,
    pseudo_labelled,
    single_garments,
)
from training.parsing.settings import ParserFitSettings, ParserRecipe

WORKERS = 2
# Side of a view in units of the photo's longer side: from half a body, or most of a garment, to a
# distant one.
ZOOM, SINGLE_ZOOM = (0.25, 1.2), (0.55, 1.6)
TILT = 12.0  # degrees
FEATHER = 1.2  # pixels over which a cut-out's edge fades
PADDING = 114  # grey around whole photos


@dataclass(frozen=True, eq=False)
class ViewSources:
    """Photos that views are taken from.

    Attributes:
        people: photos of people; singles: photos of single garments.
        backgrounds: garment-free pictures; None for drawn ones.
    """

    people: Sequence[AnnotatedPhoto]
    singles: Sequence[AnnotatedPhoto] = ()
    backgrounds: Patches | None = None


def view_sources(settings: ParserFitSettings, parsed: Sequence[MaskedPhoto]) -> ViewSources:
    """Open the data sets of a training.

    Args:
        parsed: photos with masks, to train on.

    Raises:
        DataError: no garment-free pictures, or photos that cannot be read.
        WeightsError: the teacher cannot be read.
    """
    backgrounds = None
    if settings.backgrounds:
        pictures = picture_paths(settings.backgrounds)
        if not pictures:
            raise DataError(f"no pictures in --backgrounds {settings.backgrounds}")
        backgrounds = Patches(pictures)
    # Masks drawn by hand are drawn twice as often as pseudo-labels.
    people: list[AnnotatedPhoto] = [*parsed, *parsed, *pseudo_labelled(settings)]
    return ViewSources(people, single_garments(settings), backgrounds)


class RandomViews(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random views of an epoch: BGR uint8 (3, S, S) and classes uint8 (S, S)."""

    def __init__(self, sources: ViewSources, recipe: ParserRecipe, seed: int):
        self._sources, self._recipe, self._seed = sources, recipe, seed
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # seen by the workers

    def __len__(self) -> int:
        return self._recipe.images

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([self._seed, int(self.epoch[0]), index])
        image, classes, zoom = self._scene(rng)
        image, classes = random_view(image, classes, rng, size=self._recipe.size, zoom=zoom)
        if rng.random() < self._recipe.background_swap:
            image = replace_background(image, classes, self._background(rng))
        image = add_camera_effects(
            colour_jitter(image, rng), rng, blur=0.3, noise=0.4, compression=0.4
        )
        return _tensors(image, classes)

    def _scene(
        self, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """A picture, its classes, and the range of zoom for it."""
        chance, recipe, sources = rng.random(), self._recipe, self._sources
        if chance < recipe.empty:
            return self._background(rng), np.zeros((recipe.size,) * 2, np.uint8), ZOOM
        if sources.singles and chance < recipe.empty + recipe.single:
            return *sources.singles[int(rng.integers(len(sources.singles)))].read(), SINGLE_ZOOM
        return *sources.people[int(rng.integers(len(sources.people)))].read(), ZOOM

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        return random_background(self._sources.backgrounds, self._recipe.size, rng)

    def loader(self, batch_size: int) -> DataLoader:
        """Batches of an epoch."""
        return DataLoader(
            self,
            batch_size,
            num_workers=WORKERS,
            drop_last=True,
            multiprocessing_context=clean_context(),
            persistent_workers=True,
            worker_init_fn=_one_thread,
        )


class WholePhotos(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Whole photos for validation, scaled to a side and padded to squares; see `whole_view`."""

    def __init__(self, photos: Sequence[AnnotatedPhoto], size: int):
        self._photos, self._size = photos, size

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return _tensors(*whole_view(*self._photos[index].read(), size=self._size))

    def loader(self, batch_size: int) -> DataLoader:
        """Batches of all photos in order."""
        return DataLoader(self, batch_size)


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # the network needs the cores as well


def _tensors(image: np.ndarray, classes: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    return torch.from_numpy(planes), torch.from_numpy(np.ascontiguousarray(classes))


def whole_view(
    image: np.ndarray, classes: np.ndarray, *, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo and its classes in a square of `size` pixels; the padding is of no class."""
    height, width = classes.shape
    scale = size / max(height, width)
    inner = (round(width * scale), round(height * scale))
    canvas = np.full((size, size, 3), PADDING, np.uint8)
    labels = np.full((size, size), UNKNOWN_PIXEL, np.uint8)
    canvas[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    labels[: inner[1], : inner[0]] = cv2.resize(classes, inner, interpolation=cv2.INTER_NEAREST)
    return canvas, labels


def random_view(
    image: np.ndarray,
    classes: np.ndarray,
    rng: np.random.Generator,
    *,
    size: int,
    zoom: tuple[float, float] = ZOOM,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a square view of a photo and its classes: zoomed, shifted, rotated, mirrored.

    Outside the photo the picture is mirrored and the classes are unknown.
    """
    height, width = classes.shape
    side = np.exp(rng.uniform(*np.log(zoom))) * max(height, width)
    scale = size / side
    centre = rng.uniform((0.15 * width, 0.1 * height), (0.85 * width, 0.9 * height))
    affine = cv2.getRotationMatrix2D(tuple(centre), rng.uniform(-TILT, TILT), scale)
    affine[:, 2] = affine[:, 2] + (size / 2 - centre)
    if rng.random() < 0.5:
        affine[0] = -affine[0]
        affine[0, 2] += size
    area = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = cv2.warpAffine(image, affine, (size, size), flags=area, borderMode=cv2.BORDER_REFLECT)
    labels = cv2.warpAffine(classes, affine, (size, size), flags=cv2.INTER_NEAREST,
                            borderMode=cv2.BORDER_CONSTANT, borderValue=UNKNOWN_PIXEL)  # fmt: skip
    return view, labels


def replace_background(
    image: np.ndarray, classes: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return the view with another background behind its people and garments.

    Pixels outside the photo become background; `classes` is changed in place.
    """
    kept = (classes != BACKGROUND) & (classes != UNKNOWN_PIXEL)
    classes[classes == UNKNOWN_PIXEL] = BACKGROUND
    alpha = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), FEATHER)[..., None]
    return (alpha * image + (1 - alpha) * background).astype(np.uint8)


def colour_jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image with a random white balance, exposure and gamma."""
    gain = rng.uniform(0.85, 1.18, 3) * rng.uniform(0.6, 1.3)
    gamma = rng.uniform(0.7, 1.4)
    table = np.clip(255 * (np.arange(256) / 255)[:, None] ** gamma * gain, 0, 255)
    return cv2.LUT(image, table.astype(np.uint8)[None])
