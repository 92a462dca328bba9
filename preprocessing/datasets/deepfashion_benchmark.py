"""The annotations of DeepFashion's pictures: categories, attributes, boxes, landmarks.

Two kinds circulate: the Category and Attribute benchmark (Liu et al. 2016), with 50 categories in
three types and 1,000 attributes, and "Anno_fine", with one class in each of six groups. Both become
a Benchmark. The list of attributes, 600 MB, is read as a stream into bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.datasets.attribute_table import MISSING, Attribute
from preprocessing.datasets.deepfashion import (
    CATEGORIES,
    CATEGORY_IMAGES,
    TYPES,
    find_image,
    find_list,
    read_categories,
    read_category_images,
    read_partition,
    require_list,
    rows,
)
from preprocessing.datasets.samples_and_splits import SPLIT_NAMES
from preprocessing.errors import DataError

ATTRIBUTES, ATTRIBUTE_IMAGES = "list_attr_cloth.txt", "list_attr_img.txt"
BOXES, LANDMARKS = "list_bbox.txt", "list_landmarks.txt"
POINTS = 8  # landmarks of a garment: collar, sleeve, waistline and hem, left and right
COARSE_TYPES = {"1": "texture", "2": "fabric", "3": "shape", "4": "part", "5": "style"}
FINE_TYPES = {"1": "pattern", "2": "sleeve", "3": "length", "4": "neckline", "5": "fabric",
              "6": "fit"}  # fmt: skip
CHARACTERS = b"-01 \t\r\n"  # the only ones in a row of attributes, after its path


@dataclass(frozen=True, eq=False)
class Bits:
    """The attributes, of A, that each of N pictures has, and its unknown ones, eight to a byte.

    Attributes:
        positive, unknown: uint8 (N, ceil(A / 8)).
    """

    count: int
    positive: np.ndarray
    unknown: np.ndarray

    def row(self, index: int) -> np.ndarray:
        """int8 (A,): 1 where the picture has an attribute, 0 where not, MISSING where unknown."""
        positive, unknown = (
            np.unpackbits(bits[index], count=self.count).astype(np.int8)
            for bits in (self.positive, self.unknown)
        )
        return np.where(unknown > 0, np.int8(MISSING), positive)


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Pictures with their annotations; those without a list are empty or None.

    Attributes:
        paths: of N pictures; splits: names of SPLITS, or "".
        boxes: float32 (N, 4), x1 y1 x2 y2 in pixels.
        landmarks: float32 (N, 8, 2) in pixels, nan where absent; (N, 0, 2) for none.
        categories: int64 (N,), or MISSING; `branches` are their names by type.
        attributes: several of a type's each; `bits` in the order of all types' codes.
        groups: one class each; `values` int64 (N, groups).
    """

    paths: tuple[Path, ...]
    splits: tuple[str, ...]
    boxes: np.ndarray
    landmarks: np.ndarray
    branches: tuple[Attribute, ...] = ()
    categories: np.ndarray | None = None
    attributes: tuple[Attribute, ...] = ()
    bits: Bits | None = None
    groups: tuple[Attribute, ...] = ()
    values: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.paths)


def read_benchmark(root: Path) -> Benchmark:
    """Read the lists under `root`, of either kind.

    Raises:
        DataError: a list is missing, broken, or does not match the others.
    """
    for folder in (root / "split", root / "Anno_fine", root / "Anno" / "split", root):
        if (folder / "train_attr.txt").is_file():
            return _read_fine(root, folder)
    return _read_coarse(root)


def _read_coarse(root: Path) -> Benchmark:
    """The Category and Attribute benchmark."""
    named = read_categories(require_list(root, CATEGORIES))
    labels = dict(read_category_images(require_list(root, CATEGORY_IMAGES), len(named)))
    places = {name: place for place, name in enumerate(labels)}
    boxes = _coarse_boxes(require_list(root, BOXES), places)
    splits = read_partition(root)
    attributes, bits = _coarse_attributes(root, places)
    branches = tuple(
        Attribute(kind, codes, codes)
        for kind in TYPES.values()
        if (codes := tuple(name for name, own in named if own == kind))
    )
    # From ids over all types to those within the branches, one branch after the other.
    order = [name for branch in branches for name in branch.codes]
    moved = np.array([order.index(name) for name, _ in named])
    return Benchmark(
        paths=tuple(find_image(root, name) for name in places),
        splits=tuple(splits.get(name, "") for name in places),
        boxes=boxes,
        landmarks=_coarse_landmarks(find_list(root, LANDMARKS), places),
        branches=branches,
        categories=moved[np.array(list(labels.values()), int)],
        attributes=attributes,
        bits=bits,
    )


def _coarse_boxes(path: Path, places: dict[str, int]) -> np.ndarray:
    """float32 (N, 4)."""
    boxes = np.full((len(places), 4), np.nan, np.float32)
    for words in rows(path):
        if words[0] in places:
            boxes[places[words[0]]] = _numbers(words[1:], 4, path)
    _check_complete(np.isnan(boxes[:, 0]), list(places), path)
    return boxes


def _check_complete(missing: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Raise DataError if any of `missing`, bool (N,), is true."""
    if missing.any():
        raise DataError(f"{path} has no row for {int(missing.sum())} pictures, the first "
                        f"{names[int(missing.argmax())]}")  # fmt: skip


def _numbers(words: Sequence[str], count: int, path: Path) -> np.ndarray:
    try:
        found = np.array([float(word) for word in words], np.float32)
    except ValueError as error:
        raise DataError(f"{path}: {' '.join(words)!r} should be {count} numbers") from error
    if len(found) != count:
        raise DataError(f"{path}: {' '.join(words)!r} should be {count} numbers")
    return found


def _coarse_landmarks(path: Path | None, places: dict[str, int]) -> np.ndarray:
    """Rows "image type v x y v x y ...", v 0 for a visible landmark; a skirt has fewer."""
    if path is None:
        return np.zeros((len(places), 0, 2), np.float32)
    found = np.full((len(places), POINTS, 2), np.nan, np.float32)
    for words in rows(path):
        if words[0] in places:
            triples = _numbers(words[2:], len(words) - 2, path)[: 3 * POINTS].reshape(-1, 3)
            seen = triples[:, 0] == 0
            found[places[words[0]], : len(triples)][seen] = triples[seen, 1:]
    return found


def _coarse_attributes(
    root: Path, places: dict[str, int]
) -> tuple[tuple[Attribute, ...], Bits | None]:
    """The attributes by type, and each picture's bits in that order; empty without their lists."""
    named, listed = (find_list(root, name) for name in (ATTRIBUTES, ATTRIBUTE_IMAGES))
    if named is None or listed is None:
        return (), None
    codes = read_attribute_names(named)
    kinds = sorted({kind for _, kind in codes})
    order = [k for kind in kinds for k, (_, own) in enumerate(codes) if own == kind]
    attributes = tuple(
        Attribute(COARSE_TYPES.get(kind, kind), members, members, "several")
        for kind in kinds
        if (members := tuple(name for name, own in codes if own == kind))
    )
    return attributes, read_bits(listed, places, order)


def read_attribute_names(path: Path) -> list[tuple[str, str]]:
    """Name and type of every attribute; names contain spaces, the type is the last word.

    Raises:
        DataError: a row without a type.
    """
    found = [(" ".join(words[:-1]), words[-1]) for words in rows(path)]
    for name, kind in found:
        if not name or not kind.isdecimal():
            raise DataError(f"{path}: row {f'{name} {kind}'!r} should be a name and a type")
    return found


def read_bits(path: Path, places: dict[str, int], order: Sequence[int]) -> Bits:
    """Read the list of attributes, one row "path -1 0 1 ..." for each picture, as a stream.

    Args:
        places: rows of the result by path; other paths are skipped.
        order: columns of the list, in the order of the result.

    Raises:
        DataError: a row of another length or with other values, or a picture without a row.
    """
    count = len(order)
    columns = np.asarray(order)
    positive, unknown = np.zeros((2, len(places), -(-count // 8)), np.uint8)
    missing = np.ones(len(places), bool)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            name, _, text = line.strip().replace(b"\t", b" ").partition(b" ")
            place = places.get(name.decode("utf-8", "replace"))
            if place is None:
                continue
            values = _signs(text)
            if values is None or len(values) != count:
                raise DataError(f"{path}, row {number}: wanted {count} values of -1, 0 and 1")
            values = values[columns]
            positive[place], unknown[place] = np.packbits(values > 0), np.packbits(values == 0)
            missing[place] = False
    _check_complete(missing, list(places), path)
    return Bits(count, positive, unknown)


def _signs(text: bytes) -> np.ndarray | None:
    """The values int8 (A,) of a row of -1, 0 and 1, read without splitting it; None if invalid."""
    if text.translate(None, CHARACTERS):
        return None
    characters = np.frombuffer(b" " + text, np.uint8)
    digits = np.flatnonzero(characters >= ord("0"))
    values = (characters[digits] - ord("0")).astype(np.int8)
    return np.where(characters[digits - 1] == ord("-"), -values, values)


def _read_fine(root: Path, folder: Path) -> Benchmark:
    """Parallel lists, row by row: train.txt, train_attr.txt, train_bbox.txt, ..."""
    beside = folder / ATTRIBUTES
    named = beside if beside.is_file() else require_list(root, ATTRIBUTES)
    codes = read_attribute_names(named)
    groups = tuple(
        Attribute(FINE_TYPES.get(kind, kind), members, members)
        for kind in sorted({kind for _, kind in codes}, key=int)
        if (members := tuple(name for name, own in codes if own == kind))
    )
    names: list[str] = []
    splits: list[str] = []
    values: list[np.ndarray] = []
    boxes: list[np.ndarray] = []
    landmarks: list[np.ndarray] = []
    for split in ("train", "val", "test"):
        listed = [" ".join(words) for words in rows(folder / f"{split}.txt")]
        names += listed
        splits += [SPLIT_NAMES[split]] * len(listed)
        values += _parallel(folder / f"{split}_attr.txt", listed, len(groups), fallback=MISSING)
        boxes += _parallel(folder / f"{split}_bbox.txt", listed, 4)
        landmarks += _parallel(folder / f"{split}_landmards.txt", listed, 2 * POINTS, fallback=0)
    points = np.array(landmarks, np.float32).reshape(-1, POINTS, 2)
    points[(points == 0).all(axis=2)] = np.nan
    table = np.array(values, np.int64)
    sizes = np.array([len(group) for group in groups])
    if len(table) and ((table >= sizes) | (table < MISSING)).any():
        raise DataError(f"{folder}: an attribute's class is beyond those of {named}")
    return Benchmark(
        tuple(find_image(root, name) for name in names), tuple(splits),
        np.array(boxes, np.float32), points, groups=groups, values=table,
    )  # fmt: skip


def _parallel(
    path: Path, names: Sequence[str], count: int, *, fallback: int | None = None
) -> list[np.ndarray]:
    """The numbers of a list that is parallel to a list of pictures.

    Args:
        fallback: value of all numbers if the list is missing; None if it is required.

    Raises:
        DataError: it has another number of rows, or is required and missing.
    """
    if not path.is_file():
        if fallback is None and names:
            raise DataError(f"no {path}")
        return [np.full(count, fallback, np.float32) for _ in names]
    found = [_numbers(words, count, path) for words in rows(path)]
    if len(found) != len(names):
        raise DataError(f"{path} has {len(found)} rows for {len(names)} pictures")
    return found
