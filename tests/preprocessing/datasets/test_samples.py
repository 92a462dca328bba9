"""Labelled pictures from folders and CSV files."""

from pathlib import Path

import pytest

from preprocessing.datasets.samples import Sample, read_csv, read_samples, write_csv
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
