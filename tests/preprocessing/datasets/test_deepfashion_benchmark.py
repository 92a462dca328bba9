"""DeepFashion's lists in every variant that circulates, read alike, and what is broken in them."""

from pathlib import Path

import numpy as np
import pytest

from preprocessing.datasets.attribute_table import MISSING
from preprocessing.datasets.deepfashion_benchmark import POINTS, read_benchmark
from preprocessing.errors import DataError

IMAGES = ("img/Red_Tee/img_1.jpg", "img/Red_Tee/img_2.jpg", "img/Long_Skirt/img_1.jpg",
          "img/Dress/img_1.jpg")  # fmt: skip
CATEGORIES = (("Tee", 1), ("Skirt", 2), ("Dress", 3), ("Anorak", 1))
ATTRIBUTES = (("abstract chevron print", 1), ("cotton", 2), ("a-line", 3), ("floral", 1))
LABELS = (1, 4, 2, 3)  # ids of CATEGORIES, from 1
VALUES = ((1, -1, 0, -1), (-1, 1, -1, 1), (-1, -1, 1, 0), (0, 0, 0, 0))
BOXES = ((72, 79, 232, 273), (1, 2, 30, 40), (5, 6, 7, 8), (0, 0, 10, 10))
SPLITS = ("train", "train", "val", "test")
FINE_CODES = (("floral", 1), ("solid", 1), ("long sleeve", 2), ("short sleeve", 2))


def write(path: Path, rows, *, count: bool = True, header: str = "", gap: str = "    "):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = [str(len(rows))] * count + [header] * bool(header)
    path.write_text("\n".join([*head, *(gap.join(map(str, row)) for row in rows)]) + "\n")


def archive(root: Path, *, anno="Anno", count=True, gap="    ", shuffled=False) -> Path:
    """A miniature of the official archive."""
    kind = {"count": count, "gap": gap}
    order = [2, 0, 3, 1] if shuffled else [0, 1, 2, 3]
    header = "category_name  category_type"
    write(root / anno / "list_category_cloth.txt", CATEGORIES, header=header, **kind)
    write(root / anno / "list_category_img.txt", list(zip(IMAGES, LABELS, strict=True)),
          header="image_name  category_label", **kind)  # fmt: skip
    write(root / anno / "list_attr_cloth.txt", ATTRIBUTES, header="attribute_name  attribute_type",
          **kind)  # fmt: skip
    rows = [(IMAGES[k], *VALUES[k]) for k in order]
    write(root / anno / "list_attr_img.txt", rows, header="image_name  attribute_labels", **kind)
    rows = [(IMAGES[k], *(f"{v:03d}" for v in BOXES[k])) for k in order]
    write(root / anno / "list_bbox.txt", rows, header="image_name  x_1 y_1 x_2 y_2", **kind)
    write(root / "Eval" / "list_eval_partition.txt", list(zip(IMAGES, SPLITS, strict=True)),
          header="image_name evaluation_status", **kind)  # fmt: skip
    return root


VARIANTS = {
    "official": {},
    "coarse": {"anno": "Anno_coarse"},
    "no count": {"count": False},
    "tabs": {"gap": "\t"},
    "one space": {"gap": " "},
    "other order": {"shuffled": True},
}


@pytest.mark.parametrize("kind", VARIANTS)
def test_variants_are_read_alike(tmp_path, kind):
    found = read_benchmark(archive(tmp_path, **VARIANTS[kind]))
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == list(IMAGES)
    assert found.splits == ("training", "training", "validation", "test")
    assert [(b.name, b.codes) for b in found.branches] == [
        ("upper", ("Tee", "Anorak")), ("lower", ("Skirt",)), ("full", ("Dress",)),
    ]  # fmt: skip
    assert found.categories.tolist() == [0, 1, 2, 3]
    assert found.boxes.tolist() == [list(map(float, box)) for box in BOXES]
    assert [(a.name, a.codes, a.kind) for a in found.attributes] == [
        ("texture", ("abstract chevron print", "floral"), "several"),
        ("fabric", ("cotton",), "several"), ("shape", ("a-line",), "several"),
    ]  # fmt: skip
    assert [found.bits.row(k).tolist() for k in range(4)] == [
        [1, 0, 0, MISSING], [0, 1, 1, 0], [0, MISSING, 0, 1], [MISSING] * 4,
    ]  # fmt: skip
    assert found.landmarks.shape == (4, 0, 2)


def test_pictures_in_another_folder_and_landmarks(tmp_path):
    root = archive(tmp_path)
    picture = root / "Img" / IMAGES[0]
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"x")
    rows = [(IMAGES[0], 1, "0 010 020 1 030 040"), (IMAGES[2], 2, "2 0 0 0 5 6")]
    write(root / "Anno/list_landmarks.txt", rows, header="image_name clothes_type ...")
    found = read_benchmark(root)
    assert found.paths[0] == picture
    assert found.landmarks.shape == (4, POINTS, 2)
    assert found.landmarks[0, 0].tolist() == [10, 20] and np.isnan(found.landmarks[0, 1:]).all()
    assert found.landmarks[2, 1].tolist() == [5, 6] and np.isnan(found.landmarks[1]).all()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("list_category_img.txt", f"{IMAGES[0]} 0\n", "an id of 1 to 4"),
        ("list_category_img.txt", f"{IMAGES[0]} 5\n", "an id of 1 to 4"),
        ("list_attr_img.txt", f"{IMAGES[0]} 1 -1 0\n", "row 1: wanted 4 values"),
        ("list_attr_img.txt", f"{IMAGES[0]} 1 -1 0 2\n", "row 1: wanted 4 values"),
        ("list_attr_img.txt", f"{IMAGES[0]} 1 -1 0 -1\n", "no row for 3 pictures"),
        ("list_bbox.txt", f"{IMAGES[0]} 1 2 3\n", "should be 4 numbers"),
        ("list_bbox.txt", f"{IMAGES[0]} 1 2 3 x\n", "should be 4 numbers"),
        ("list_attr_cloth.txt", "cotton\n", "should be a name and a type"),
    ],
)
def test_broken_lists_are_named(tmp_path, name, text, said):
    root = archive(tmp_path)
    (root / "Anno" / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_benchmark(root)


def test_a_list_that_is_not_there(tmp_path):
    root = archive(tmp_path)
    (root / "Anno/list_bbox.txt").unlink()
    with pytest.raises(DataError, match=r"no list_bbox\.txt"):
        read_benchmark(root)


def fine(root: Path) -> Path:
    """A miniature of the fine kind: a list a property and split, without paths in them."""
    write(root / "split/list_attr_cloth.txt", FINE_CODES, header="attribute_name   attribute_type")
    for split, count in (("train", 2), ("val", 1), ("test", 1)):
        names = [(f"img/{split}{k}.jpg",) for k in range(count)]
        write(root / f"split/{split}.txt", names, count=False)
        write(root / f"split/{split}_bbox.txt", [("005", "006", "050", "060")] * count, count=False)
        if split != "test":  # as in the archive
            write(root / f"split/{split}_attr.txt", [(1, 0)] * count, count=False)
        points = [("010 020",) + ("0 0",) * 7] * count
        write(root / f"split/{split}_landmards.txt", points, count=False)
    return root


def test_the_fine_kind(tmp_path):
    found = read_benchmark(fine(tmp_path))
    assert [(g.name, g.codes) for g in found.groups] == [
        ("pattern", ("floral", "solid")), ("sleeve", ("long sleeve", "short sleeve")),
    ]  # fmt: skip
    assert found.values.tolist() == [[1, 0]] * 3 + [[MISSING, MISSING]]
    assert found.boxes[0].tolist() == [5, 6, 50, 60]
    assert found.landmarks[0, 0].tolist() == [10, 20] and np.isnan(found.landmarks[0, 1:]).all()
    assert found.splits == ("training", "training", "validation", "test")
    assert found.categories is None and found.bits is None


def test_broken_fine_lists_are_named(tmp_path):
    root = fine(tmp_path)
    write(root / "split/train_attr.txt", [(1, 2)] * 2, count=False)
    with pytest.raises(DataError, match="beyond those"):
        read_benchmark(root)
    write(root / "split/train_attr.txt", [(1, 1)], count=False)
    with pytest.raises(DataError, match="1 rows for 2 pictures"):
        read_benchmark(root)
