"""What a parser learns from: views of parsed people, of single garments, and of empty scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from preprocessing.backgrounds import BACKGROUNDS, Background
from preprocessing.camera import photographed
from preprocessing.errors import DataError
from preprocessing.kinds import LAYERS, SINGLE
from preprocessing.layers import TEST_FROM, VALIDATION_FROM, read_names
from preprocessing.parsing import BACKGROUND, FIRST, UNKNOWN_PIXEL, mask_table
from preprocessing.pictures import read_picture
from preprocessing.processes import clean_context, process_pool
from preprocessing.samples import Sample
from preprocessing.segmentation import segment
from training.parsing.recipes import ParserRecipe

WORKERS = 2
# A view's side over its photo's longer side: from half a body, or most of a garment, to afar.
ZOOM, ZOOM_SINGLE = (0.25, 1.2), (0.55, 1.6)
TILT = 12.0  # degrees
SOFT = 1.2  # pixels over which a cut-out's edge fades
MASK_SIDE = 320  # pixels of a single garment's photo and mask


@dataclass(frozen=True, eq=False)
class Parsed:
    """A photo with its mask file, whose values `table` uint8 (256,) turns into classes."""

    photo: Path
    mask: Path
    table: np.ndarray

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """BGR uint8 (H, W, 3) and classes uint8 (H, W)."""
        mask = cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{self.photo} has no mask {self.mask}")
        image = read_picture(self.photo)
        if image.shape[:2] != mask.shape:
            raise DataError(f"{self.mask} is {mask.shape[1]}x{mask.shape[0]}, its photo is not")
        return image, self.table[mask]


@dataclass(frozen=True, eq=False)
class Single:
    """A photo of one garment and the mask that GrabCut made, PNG bytes of 0 and 255."""

    photo: Path
    layer: int
    mask: bytes

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """BGR uint8 (H, W, 3) and classes uint8 (H, W)."""
        cover = cv2.imdecode(np.frombuffer(self.mask, np.uint8), cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(read_picture(self.photo), cover.shape[::-1])
        return image, np.where(cover > 0, FIRST + self.layer, BACKGROUND).astype(np.uint8)


def parsed_people(folder: Path) -> dict[str, list[Parsed]]:
    """The parsed photos by split, in blocks of their numbers as in `preprocessing.layers`.

    Raises:
        DataError: no labels.csv or no photos there.
    """
    table = mask_table(read_names(folder))
    found: dict[str, list[Parsed]] = {"train": [], "val": [], "test": []}
    for photo in sorted((folder / "photos").glob("*.jpg")):
        number = int(photo.stem)
        split = "train" if number < VALIDATION_FROM else "val" if number < TEST_FROM else "test"
        found[split].append(Parsed(photo, folder / "masks" / f"{photo.stem}.png", table))
    if not found["train"] or not found["val"]:
        raise DataError(f"{folder} has no photos/*.jpg to train and to validate on")
    return found


def single_garments(samples: Sequence[Sample]) -> list[Single]:
    """Photos of single garments with masks by GrabCut; those without a garment are left out."""
    samples = [sample for sample in samples if sample.label in SINGLE]
    with process_pool() as pool:
        masks = pool.map(_mask_of, [sample.path for sample in samples], chunksize=16)
        return [
            Single(sample.path, LAYERS.index(SINGLE[sample.label]), mask)
            for sample, mask in zip(samples, masks, strict=True)
            if mask is not None
        ]


def _mask_of(path: Path) -> bytes | None:
    cv2.setNumThreads(1)  # the pool fills the cores
    image = read_picture(path)
    scale = MASK_SIDE / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    regions = segment(image, "grabcut")
    if not regions:
        return None
    cover = np.zeros(image.shape[:2], np.uint8)
    x1, y1, x2, y2 = regions[0].window
    cover[y1:y2, x1:x2] = regions[0].mask
    return cv2.imencode(".png", cover)[1].tobytes()


class Views(Dataset):
    """Random views of an epoch: BGR uint8 (3, S, S) and classes uint8 (S, S)."""

    def __init__(
        self, people: Sequence[Parsed], singles: Sequence[Single], recipe: ParserRecipe, seed: int
    ):
        self._people, self._singles, self._recipe, self._seed = people, singles, recipe, seed
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # seen by the workers

    def __len__(self) -> int:
        return self._recipe.images

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([self._seed, int(self.epoch[0]), index])
        image, classes, zoom = self._scene(rng)
        image, classes = random_view(image, classes, rng, size=self._recipe.size, zoom=zoom)
        if rng.random() < self._recipe.regrounded:
            image = reground(image, classes, rng)
        image = photographed(recoloured(image, rng), rng, blur=0.3, noise=0.4, compression=0.4)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return torch.from_numpy(planes), torch.from_numpy(np.ascontiguousarray(classes))

    def _scene(
        self, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """A picture, its classes, and the range of zoom for it."""
        chance, recipe = rng.random(), self._recipe
        if chance < recipe.scenes:
            return _ground(rng, recipe.size), np.zeros((recipe.size,) * 2, np.uint8), ZOOM
        if self._singles and chance < recipe.scenes + recipe.single:
            return *self._singles[rng.integers(len(self._singles))].read(), ZOOM_SINGLE
        return *self._people[rng.integers(len(self._people))].read(), ZOOM

    def loader(self, batch_size: int) -> DataLoader:
        """Batches of an epoch."""
        return DataLoader(self, batch_size, num_workers=WORKERS, drop_last=True,
                          multiprocessing_context=clean_context(), persistent_workers=True,
                          worker_init_fn=_one_thread)  # fmt: skip


class Photos(Dataset):
    """Whole photos for judging, scaled to a side and padded to squares; see `whole_view`."""

    def __init__(self, people: Sequence[Parsed], size: int):
        self._people, self._size = people, size

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, classes = whole_view(*self._people[index].read(), size=self._size)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return torch.from_numpy(planes), torch.from_numpy(classes)

    def loader(self, batch_size: int) -> DataLoader:
        """Batches of all photos in order."""
        return DataLoader(self, batch_size)


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # the workers share the cores with the network


def whole_view(
    image: np.ndarray, classes: np.ndarray, *, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """A photo and its classes in a square of `size` pixels; what is added is no class."""
    height, width = classes.shape
    scale = size / max(height, width)
    inner = (round(width * scale), round(height * scale))
    canvas = np.full((size, size, 3), 114, np.uint8)
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
    """A square view: zoomed, shifted, tilted, mirrored.

    Outside the photo the picture is mirrored and the classes are unknown.
    """
    height, width = classes.shape
    side = np.exp(rng.uniform(*np.log(zoom))) * max(height, width)
    scale = size / side
    centre = rng.uniform((0.15 * width, 0.1 * height), (0.85 * width, 0.9 * height))
    turn = cv2.getRotationMatrix2D(tuple(centre), rng.uniform(-TILT, TILT), scale)
    turn[:, 2] += size / 2 - centre
    if rng.random() < 0.5:
        turn[0] = -turn[0]
        turn[0, 2] += size
    area = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = cv2.warpAffine(image, turn, (size, size), flags=area, borderMode=cv2.BORDER_REFLECT)
    labels = cv2.warpAffine(classes, turn, (size, size), flags=cv2.INTER_NEAREST,
                            borderMode=cv2.BORDER_CONSTANT, borderValue=UNKNOWN_PIXEL)  # fmt: skip
    return view, labels


def reground(image: np.ndarray, classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The view with another ground behind its people and garments; `classes` is changed too.

    What was outside the photo becomes ground as well.
    """
    kept = (classes != BACKGROUND) & (classes != UNKNOWN_PIXEL)
    classes[classes == UNKNOWN_PIXEL] = BACKGROUND
    alpha = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), SOFT)[..., None]
    ground = _ground(rng, len(image))
    return (alpha * image + (1 - alpha) * ground).astype(np.uint8)


def _ground(rng: np.random.Generator, size: int) -> np.ndarray:
    draw: Background = list(BACKGROUNDS.values())[rng.integers(len(BACKGROUNDS))]
    return draw((size, size), rng, tuple(int(v) for v in rng.integers(15, 245, 3)))


def recoloured(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another camera's white balance, exposure and gamma."""
    gain = rng.uniform(0.85, 1.18, 3) * rng.uniform(0.6, 1.3)
    gamma = rng.uniform(0.7, 1.4)
    table = np.clip(255 * (np.arange(256) / 255)[:, None] ** gamma * gain, 0, 255)
    return cv2.LUT(image, table.astype(np.uint8)[None])
