"""Labelled pictures from folders and CSV files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from preprocessing.datasets.samples_and_splits import (
    Sample,
    crossing_groups,
    read_csv,
    read_samples,
    split_samples,
    write_csv,
)
from preprocessing.errors import DataError


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
