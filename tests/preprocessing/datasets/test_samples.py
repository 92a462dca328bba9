"""Labelled pictures from folders, CSV files and DeepFashion's lists, and how they are split."""

from collections import Counter
from pathlib import Path

import make
import numpy as np
import pytest

from preprocessing.datasets import deepfashion
from preprocessing.datasets.duplicates import near_duplicates, perceptual_hash
from preprocessing.datasets.samples import Sample, read_csv, read_samples, write_csv
from preprocessing.datasets.splits import crossing_groups, split_samples
from preprocessing.errors import DataError

LISTS = make.ROOT.parent / "shared" / "data" / "deepfashion_lists"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_a_folder_a_class(tmp_path):
    for name in ("hat/1.jpg", "hat/deep/2.PNG", "shoe/3.jpeg", "shoe/notes.txt", "loose.jpg"):
        touch(tmp_path / name)
    found = [(sample.path.name, sample.label, sample.split) for sample in read_samples(tmp_path)]
    assert found == [("1.jpg", "hat", ""), ("2.PNG", "hat", ""), ("3.jpeg", "shoe", "")]


def test_folders_of_splits(tmp_path):
    for name in ("train/hat/1.jpg", "val/hat/2.jpg", "test/hat/3.jpg", "extra/hat/4.jpg"):
        touch(tmp_path / name)
    assert [s.split for s in read_samples(tmp_path)] == ["training", "validation", "test"]


def test_csv_there_and_back(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("\ufeffpath,label,sender\na b.jpg,hat,7\n/x/y.jpg,shoe,\n", encoding="utf-8")
    found = read_csv(path, group_column="sender")
    assert found == [
        Sample(tmp_path / "a b.jpg", "hat", "7"), Sample(Path("/x/y.jpg"), "shoe", "")
    ]  # fmt: skip
    write_csv(tmp_path / "again.csv", found)
    assert read_csv(tmp_path / "again.csv") == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na,b\n", "no column path"),
        ("path,label\na,\n", "line 2"),
        ("path,label\n", "no rows"),
        ("", "no column path and no column label"),
        ("path,label,split\na,b,eval\n", "split 'eval'"),
    ],
)
def test_bad_csv_is_named(tmp_path, text, said):
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_csv(path)


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        read_samples(tmp_path)
    with pytest.raises(DataError, match="no data set"):
        read_samples(tmp_path / "absent")


def grouped(count=300):
    rng = np.random.default_rng(1)
    labels = rng.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1])
    return [Sample(Path(f"{i}.jpg"), labels[i], group=str(i // 3)) for i in range(count)]


def test_a_split_keeps_groups_together_and_classes_even():
    found = split_samples(grouped(), validation=0.2, test=0.2, seed=0)
    assert crossing_groups(found) == []
    sizes = Counter(sample.split for sample in found)
    assert abs(sizes["validation"] - 60) <= 9 and abs(sizes["test"] - 60) <= 12
    for split in sizes:
        labels = Counter(sample.label for sample in found if sample.split == split)
        assert 0.5 < labels["a"] / sizes[split] < 0.7 and labels["c"] > 0
    assert split_samples(grouped(), validation=0.2, test=0.2, seed=0) == found
    assert split_samples(grouped(), validation=0.2, test=0.2, seed=1) != found


def test_a_group_that_fills_a_part_is_not_the_validation_part():
    """Its pictures would be all that the model is chosen by."""
    large = [Sample(Path(f"l{n}.jpg"), "coat", group="large") for n in range(40)]
    others = [Sample(Path(f"o{n}.jpg"), ("coat", "hat")[n % 2], group=f"g{n // 4}")
              for n in range(160)]  # fmt: skip
    found = split_samples([*large, *others], validation=0.2, test=0, seed=0)
    validation = [sample for sample in found if sample.split == "validation"]
    assert "large" not in {sample.group for sample in validation}
    assert len({sample.group for sample in validation}) >= 8 and len(validation) >= 32


def test_given_splits_stay():
    given = [Sample(Path("1"), "a", split="training"), Sample(Path("2"), "a", split="validation")]
    assert split_samples(given, validation=0.5, test=0.5, seed=0) == given
    with pytest.raises(DataError, match="no training picture of a"):
        split_samples(given[1:], validation=0, test=0, seed=0)


def test_near_duplicates_survive_scaling():
    first, second = make.scene(), np.flip(make.scene(), axis=0).copy()
    second[:60] = 90
    smaller = first[::2, ::2].copy()
    hashes = [perceptual_hash(image) for image in (first, second, smaller)]
    assert near_duplicates(hashes) == [(0, 2)]
    assert near_duplicates([0b1111, 0, 0b11111 << 30]) == [(0, 1)]
    assert near_duplicates([]) == []


def deepfashion_folder(root: Path, *, count: str = "2\n", gap: str = "    ") -> Path:
    anno = root / "Anno_coarse"
    anno.mkdir(parents=True)
    header = "category_name category_type\n"
    (anno / "list_category_cloth.txt").write_text(f"{count}{header}Tee{gap}1\nDress{gap}3\n")
    rows = f"img/Red_Tee/1.jpg{gap}1\nimg/Red_Tee/2.jpg{gap}2\n"
    (anno / "list_category_img.txt").write_text(f"{count}image_name category_label\n{rows}")
    (root / "Eval").mkdir()
    text = f"{count}image_name evaluation_status\nimg/Red_Tee/1.jpg train\nimg/Red_Tee/2.jpg val\n"
    (root / "Eval" / "list_eval_partition.txt").write_text(text)
    return root


@pytest.mark.parametrize("count", ["2\n", "50\n", ""])
@pytest.mark.parametrize("gap", ["   ", "\t"])
def test_deepfashion_lists_as_they_circulate(tmp_path, count, gap):
    samples = deepfashion.read_samples(deepfashion_folder(tmp_path, count=count, gap=gap))
    # The label is the annotated id's, though the folder's name says Tee.
    assert [sample.label for sample in samples] == ["Tee", "Dress"]
    assert [sample.split for sample in samples] == ["training", "validation"]
    assert crossing_groups(samples) == ["img/Red_Tee"]


def test_deepfashion_without_a_list(tmp_path):
    folder = deepfashion_folder(tmp_path)
    (folder / "Anno_coarse" / "list_category_img.txt").unlink()
    with pytest.raises(DataError, match="list_category_img"):
        deepfashion.read_samples(folder)


@pytest.mark.skipif(not LISTS.is_dir(), reason="the DeepFashion lists are not here")
@pytest.mark.parametrize(
    ("name", "count"),
    [("list_category_cloth.txt", 50), ("list_category_cloth.46rows.txt", 46)],
)
def test_the_real_category_lists(name, count):
    found = deepfashion.read_categories(LISTS / name)
    assert len(found) == count and found[0][1] == "upper"
    assert {kind for _, kind in found} == {"upper", "lower", "full"}
