"""Reads the lists of DeepFashion's Category and Attribute benchmark (Liu et al. 2016).

The lists circulate with wrong or missing count lines, tabs for spaces and other folder names; all
of these are read.
"""

from collections.abc import Iterator
from pathlib import Path

from preprocessing.datasets.samples_and_splits import SPLIT_NAMES, Sample
from preprocessing.errors import DataError, text_errors

CATEGORIES = "list_category_cloth.txt"
CATEGORY_IMAGES = "list_category_img.txt"
PARTITION = "list_eval_partition.txt"
HEADERS = ("category_name", "image_name", "attribute_name")
TYPES = {1: "upper", 2: "lower", 3: "full"}  # of a category's garment
FOLDERS = ("", "Anno", "Anno_coarse", "Anno_fine", "Eval")  # where the lists may lie


def find_list(root: Path, name: str) -> Path | None:
    """A list by its file name, in whichever of FOLDERS under `root` it lies."""
    return next((p for p in (root / folder / name for folder in FOLDERS) if p.is_file()), None)


def require_list(root: Path, name: str) -> Path:
    """A list by its file name.

    Raises:
        DataError: it is missing.
    """
    path = find_list(root, name)
    if path is None:
        raise DataError(f"no {name} in {root} or its folders Anno, Anno_coarse, Anno_fine")
    return path


def rows(path: Path) -> Iterator[list[str]]:
    """The words of every row of a list, without its count line and its header."""
    with path.open(encoding="utf-8") as file, text_errors(path):
        for number, line in enumerate(file):
            words = line.split()
            count = number == 0 and len(words) == 1 and words[0].isdecimal()
            header = number <= 1 and bool(words) and words[0] in HEADERS
            if words and not count and not header:
                yield words


def read_categories(path: Path) -> list[tuple[str, str]]:
    """Name and type (upper, lower, full) of every category, in the order of their ids.

    Raises:
        DataError: a row does not end in a type.
    """
    found = []
    for words in rows(path):
        if len(words) < 2 or words[-1] not in ("1", "2", "3"):
            raise DataError(f"{path}: row {' '.join(words)!r} should be a name and a type, 1 to 3")
        found.append((" ".join(words[:-1]), TYPES[int(words[-1])]))
    return found


def read_category_images(path: Path, count: int) -> Iterator[tuple[str, int]]:
    """Every listed image with the number of its category, from 0: the list counts from 1.

    Raises:
        DataError: a row is no path with an id of 1 to `count`.
    """
    for words in rows(path):
        number = int(words[-1]) if words[-1].isdecimal() else 0
        if len(words) != 2 or not 1 <= number <= count:
            raise DataError(
                f"{path}: row {' '.join(words)!r} should be a path and an id of 1 to {count}"
            )
        yield words[0], number - 1


def read_partition(root: Path) -> dict[str, str]:
    """The official split, a name of SPLITS, by image; empty without its list."""
    path = find_list(root, PARTITION)
    if path is None:
        return {}
    return {words[0]: SPLIT_NAMES.get(words[-1], words[-1]) for words in rows(path)}


def read_samples(root: Path) -> list[Sample]:
    """Every listed image with its category, its product as the group, and the official split.

    The label is that of the annotated id: some folder names end in another category.

    Raises:
        DataError: a list is missing, or names an id that is no category.
    """
    categories, images = (require_list(root, name) for name in (CATEGORIES, CATEGORY_IMAGES))
    names = [name for name, _ in read_categories(categories)]
    splits = read_partition(root)
    return [
        Sample(
            find_image(root, image),
            label=names[number],
            group=str(Path(image).parent),
            split=splits.get(image, ""),
        )
        for image, number in read_category_images(images, len(names))
    ]


def find_image(root: Path, name: str) -> Path:
    """The path of an image "img/PRODUCT/FILE" of the lists, under `root` or its folder Img."""
    inside = root / "Img" / name
    return inside if inside.is_file() else root / name
