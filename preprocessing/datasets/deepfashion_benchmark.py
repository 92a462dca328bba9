"""All that DeepFashion's lists say of its pictures: categories, attributes, boxes, landmarks.

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
    PARTITION,
    TYPES,
    find_image,
    find_list,
    read_categories,
    read_category_images,
    rows,
)
from preprocessing.datasets.samples import FOLDER_NAMES
from preprocessing.errors import DataError

ATTRIBUTES, ATTRIBUTE_IMAGES = "list_attr_cloth.txt", "list_attr_img.txt"
BOXES, LANDMARKS = "list_bbox.txt", "list_landmarks.txt"
POINTS = 8  # landmarks of a garment: collar, sleeve, waistline and hem, left and right
COARSE_TYPES = {"1": "texture", "2": "fabric", "3": "shape", "4": "part", "5": "style"}
FINE_TYPES = {"1": "pattern", "2": "sleeve", "3": "length", "4": "neckline", "5": "fabric",
              "6": "fit"}  # fmt: skip
CHARACTERS = b"-01 \t\r\n"  # of which a row of attributes consists, behind its path


@dataclass(frozen=True, eq=False)
class Bits:
    """Which of A attributes each of N pictures has, and which are unknown, eight to a byte.

    Attributes:
        positive, unknown: uint8 (N, ceil(A / 8)).
    """

    count: int
    positive: np.ndarray
    unknown: np.ndarray

    def row(self, index: int) -> np.ndarray:
        """int8 (A,): 1 where the picture has an attribute, 0 where not, MISSING where unknown."""
        has, open_ = (np.unpackbits(some[index], count=self.count).astype(np.int8)
                      for some in (self.positive, self.unknown))  # fmt: skip
        return np.where(open_ > 0, np.int8(MISSING), has)


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Pictures with everything that is known of them; lists that are not there are empty.

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
    """The lists under `root`, of whichever kind.

    Raises:
        DataError: a list is missing, broken, or does not fit the others.
    """
    for folder in (root / "split", root / "Anno_fine", root / "Anno" / "split", root):
        if (folder / "train_attr.txt").is_file():
            return _read_fine(root, folder)
    return _read_coarse(root)


def _read_coarse(root: Path) -> Benchmark:
    lists = {name: find_list(root, name) for name in (CATEGORIES, CATEGORY_IMAGES, BOXES)}
    for name, path in lists.items():
        if path is None:
            raise DataError(f"no {name} in {root} or its folders Anno, Anno_coarse, Anno_fine")
    named = read_categories(lists[CATEGORIES])
    listed = list(read_category_images(lists[CATEGORY_IMAGES], len(named)))
    names = [image for image, _ in listed]
    categories = np.array([number for _, number in listed], int)
    places = {name: place for place, name in enumerate(names)}
    partition = find_list(root, PARTITION)
    splits = [""] * len(names)
    for words in rows(partition) if partition else ():
        if words[0] in places:
            splits[places[words[0]]] = FOLDER_NAMES.get(words[-1], words[-1])
    boxes = np.full((len(names), 4), np.nan, np.float32)
    for words in rows(lists[BOXES]):
        if words[0] in places:
            boxes[places[words[0]]] = _numbers(words[1:], 4, lists[BOXES])
    _refuse_gaps(np.isnan(boxes).any(axis=1), names, lists[BOXES])
    landmarks = _coarse_landmarks(find_list(root, LANDMARKS), places)
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
        tuple(find_image(root, name) for name in names), tuple(splits), boxes, landmarks,
        branches, moved[categories], attributes, bits,
    )  # fmt: skip


def _refuse_gaps(gaps: np.ndarray, names: Sequence[str], path: Path) -> None:
    if gaps.any():
        raise DataError(f"{path} says nothing of {int(gaps.sum())} pictures, the first "
                        f"{names[int(gaps.argmax())]}")  # fmt: skip


def _numbers(words: Sequence[str], count: int, path: Path) -> np.ndarray:
    try:
        found = np.array([float(word) for word in words], np.float32)
    except ValueError as error:
        raise DataError(f"{path}: {' '.join(words)!r} should be {count} numbers") from error
    if len(found) != count:
        raise DataError(f"{path}: {' '.join(words)!r} should be {count} numbers")
    return found


def _coarse_landmarks(path: Path | None, places: dict[str, int]) -> np.ndarray:
    """Rows "image type v x y v x y ...", v 0 for a visible landmark; those of a skirt are fewer."""
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
    """The attributes by type, and each picture's bits in that order; none without their lists."""
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
    """Name and type of every attribute; names hold spaces, the type is the last word.

    Raises:
        DataError: a row without a type.
    """
    found = [(" ".join(words[:-1]), words[-1]) for words in rows(path)]
    for name, kind in found:
        if not name or not kind.isdecimal():
            raise DataError(f"{path}: row {f'{name} {kind}'!r} should be a name and a type")
    return found


def read_bits(path: Path, places: dict[str, int], order: Sequence[int]) -> Bits:
    """The list of attributes, a row "path -1 0 1 ..." a picture, as a stream.

    Args:
        places: rows of the answer by path; other paths are passed over.
        order: columns of the list, in the order of the answer.

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
    _refuse_gaps(missing, list(places), path)
    return Bits(count, positive, unknown)


def _signs(text: bytes) -> np.ndarray | None:
    """Values int8 (A,) of a row of -1, 0 and 1, without making words of it; None if it is none."""
    if text.translate(None, CHARACTERS):
        return None
    characters = np.frombuffer(b" " + text, np.uint8)
    digits = np.flatnonzero(characters >= ord("0"))
    values = (characters[digits] - ord("0")).astype(np.int8)
    return np.where(characters[digits - 1] == ord("-"), -values, values)


def _read_fine(root: Path, folder: Path) -> Benchmark:
    """Lists beside each other, row by row: train.txt, train_attr.txt, train_bbox.txt, ..."""
    named = next((p for p in (folder / ATTRIBUTES, find_list(root, ATTRIBUTES)) if p), None)
    if named is None or not named.is_file():
        raise DataError(f"no {ATTRIBUTES} in {folder}")
    codes = read_attribute_names(named)
    groups = tuple(
        Attribute(FINE_TYPES.get(kind, kind), members, members)
        for kind in sorted({kind for _, kind in codes}, key=int)
        if (members := tuple(name for name, own in codes if own == kind))
    )
    names, splits, values, boxes, landmarks = [], [], [], [], []
    for split in ("train", "val", "test"):
        listed = [" ".join(words) for words in rows(folder / f"{split}.txt")]
        names += listed
        splits += [FOLDER_NAMES.get(split, split)] * len(listed)
        values += _beside(folder / f"{split}_attr.txt", listed, len(groups), fallback=MISSING)
        boxes += _beside(folder / f"{split}_bbox.txt", listed, 4)
        landmarks += _beside(folder / f"{split}_landmards.txt", listed, 2 * POINTS, fallback=0)
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


def _beside(
    path: Path, names: Sequence[str], count: int, *, fallback: int | None = None
) -> list[np.ndarray]:
    """The numbers of a list that stands beside a list of pictures; some splits have none.

    Raises:
        DataError: it has another number of rows, or is missing and has no fallback.
    """
    if not path.is_file():
        if fallback is None and names:
            raise DataError(f"no {path}")
        return [np.full(count, fallback, np.float32) for _ in names]
    found = [_numbers(words, count, path) for words in rows(path)]
    if len(found) != len(names):
        raise DataError(f"{path} has {len(found)} rows for {len(names)} pictures")
    return found
