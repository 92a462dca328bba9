"""What a parser learns from: views of people, of single garments, and of empty scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from preprocessing.builders.layer_boxes import (
    TEST_FROM,
    VALIDATION_FROM,
    Labelled,
    boxed_photos,
    read_names,
)
from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError
from preprocessing.images.class_maps import BACKGROUND, FIRST, UNKNOWN_PIXEL, mask_table
from preprocessing.images.pictures import read_picture
from preprocessing.labels import LAYERS, PHOTO_LAYER
from preprocessing.processes import clean_context, process_pool
from preprocessing.synthesis.backgrounds import Patches, any_ground
from preprocessing.synthesis.camera_effects import photographed
from preprocessing.synthesis.cutouts import grabcut_photo
from training.inference.parser import FrameParser
from training.parsing.recipes import ParserRecipe

WORKERS = 2
# A view's side over its photo's longer side: from half a body, or most of a garment, to afar.
ZOOM, ZOOM_SINGLE = (0.25, 1.2), (0.55, 1.6)
TILT = 12.0  # degrees
SOFT = 1.2  # pixels over which a cut-out's edge fades
MASK_SIDE = 320  # pixels of the longer side of masks that are made here, and of their photos
LEAST_SEEN = 0.15  # of a box, that its garment covers where the teacher has seen it


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
class Masked:
    """A photo with the classes that were made for it: PNG bytes, MASK_SIDE pixels long."""

    photo: Path
    classes: bytes

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """BGR uint8 (H, W, 3) and classes uint8 (H, W)."""
        classes = cv2.imdecode(np.frombuffer(self.classes, np.uint8), cv2.IMREAD_GRAYSCALE)
        image = read_picture(self.photo)
        return cv2.resize(image, classes.shape[::-1], interpolation=cv2.INTER_AREA), classes


def parsed_people(folder: Path) -> dict[str, list[Parsed]]:
    """The parsed photos by split, in blocks of their numbers as in `builders.layer_boxes`.

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


def boxed_people(folder: Path, teacher: FrameParser) -> list[Masked]:
    """Photos of people with boxes around their garments, painted by a parser that the boxes check.

    Raises:
        DataError: see `boxed_photos`.
    """
    return [
        Masked(one.path, _png(classes_in_boxes(teacher(read_picture(one.path)), one)))
        for one in tqdm(list(boxed_photos(folder)), "boxed", disable=None)
    ]


def classes_in_boxes(probabilities: np.ndarray, boxed: Labelled) -> np.ndarray:
    """The likeliest classes uint8 (H, W) of a photo where a garment lies in a box of its layer.

    What would be a garment outside of any such box is unknown, and so is what is left of a box in
    which the parser sees too little of its garment.
    """
    scale = MASK_SIDE / max(boxed.width, boxed.height)
    size = (round(boxed.width * scale), round(boxed.height * scale))
    planes = np.stack([cv2.resize(plane, size) for plane in probabilities])
    windows = [np.round(box * scale).astype(int) for box in boxed.boxes]
    allowed = np.zeros(planes.shape, bool)
    allowed[:FIRST] = True
    for layer, (x1, y1, x2, y2) in zip(boxed.labels, windows, strict=True):
        allowed[FIRST + layer, y1:y2, x1:x2] = True
    classes = np.where(allowed, planes, 0).argmax(axis=0).astype(np.uint8)
    classes[(classes < FIRST) & (planes.argmax(axis=0) >= FIRST)] = UNKNOWN_PIXEL
    for layer, (x1, y1, x2, y2) in zip(boxed.labels, windows, strict=True):
        inside = classes[y1:y2, x1:x2]
        if (inside == FIRST + layer).mean() < LEAST_SEEN:
            inside[inside < FIRST] = UNKNOWN_PIXEL
    return classes


def _png(classes: np.ndarray) -> bytes:
    return cv2.imencode(".png", classes)[1].tobytes()


def single_garments(samples: Sequence[Sample]) -> list[Masked]:
    """Photos of single garments with masks by GrabCut; those without a garment are left out."""
    samples = [sample for sample in samples if sample.label in PHOTO_LAYER]
    with process_pool() as pool:
        covers = pool.map(_cover_of, [sample.path for sample in samples], chunksize=16)
        return [
            Masked(
                sample.path, _png(cover * np.uint8(FIRST + LAYERS.index(PHOTO_LAYER[sample.label])))
            )
            for sample, cover in zip(samples, covers, strict=True)
            if cover is not None
        ]


def _cover_of(path: Path) -> np.ndarray | None:
    """Where GrabCut sees a garment, bool (H, W)."""
    cv2.setNumThreads(1)  # the pool fills the cores
    image, region = grabcut_photo(path, MASK_SIDE)
    if region is None:
        return None
    cover = np.zeros(image.shape[:2], bool)
    x1, y1, x2, y2 = region.window
    cover[y1:y2, x1:x2] = region.mask > 0
    return cover


@dataclass(frozen=True, eq=False)
class Sources:
    """What views are taken from; without `grounds`, all garment-free scenes are drawn."""

    people: Sequence[Parsed | Masked]
    singles: Sequence[Masked] = ()
    grounds: Patches | None = None


class Views(Dataset):
    """Random views of an epoch: BGR uint8 (3, S, S) and classes uint8 (S, S)."""

    def __init__(self, sources: Sources, recipe: ParserRecipe, seed: int):
        self._sources, self._recipe, self._seed = sources, recipe, seed
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # seen by the workers

    def __len__(self) -> int:
        return self._recipe.images

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng([self._seed, int(self.epoch[0]), index])
        image, classes, zoom = self._scene(rng)
        image, classes = random_view(image, classes, rng, size=self._recipe.size, zoom=zoom)
        if rng.random() < self._recipe.regrounded:
            image = reground(image, classes, self._ground(rng))
        image = photographed(recoloured(image, rng), rng, blur=0.3, noise=0.4, compression=0.4)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return torch.from_numpy(planes), torch.from_numpy(np.ascontiguousarray(classes))

    def _scene(
        self, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """A picture, its classes, and the range of zoom for it."""
        chance, recipe, sources = rng.random(), self._recipe, self._sources
        if chance < recipe.scenes:
            return self._ground(rng), np.zeros((recipe.size,) * 2, np.uint8), ZOOM
        if sources.singles and chance < recipe.scenes + recipe.single:
            return *sources.singles[rng.integers(len(sources.singles))].read(), ZOOM_SINGLE
        return *sources.people[rng.integers(len(sources.people))].read(), ZOOM

    def _ground(self, rng: np.random.Generator) -> np.ndarray:
        return any_ground(self._sources.grounds, self._recipe.size, rng)

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


def reground(image: np.ndarray, classes: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The view with a ground behind its people and garments; `classes` is changed too.

    What was outside the photo becomes ground as well.
    """
    kept = (classes != BACKGROUND) & (classes != UNKNOWN_PIXEL)
    classes[classes == UNKNOWN_PIXEL] = BACKGROUND
    alpha = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), SOFT)[..., None]
    return (alpha * image + (1 - alpha) * ground).astype(np.uint8)


def recoloured(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another camera's white balance, exposure and gamma."""
    gain = rng.uniform(0.85, 1.18, 3) * rng.uniform(0.6, 1.3)
    gamma = rng.uniform(0.7, 1.4)
    table = np.clip(255 * (np.arange(256) / 255)[:, None] ** gamma * gain, 0, 255)
    return cv2.LUT(image, table.astype(np.uint8)[None])
