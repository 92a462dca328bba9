"""Lists of labelled footage."""

import csv

import pytest

from preprocessing.errors import DataError
from realtime.bench import footage


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["file", "labels"], ["missing.mp4", "Dress"]], "names a file that does not exist"),
        ([["file", "labels"], ["a.mp4", "Kilt"]], "unknown label Kilt"),
        ([["clip", "labels"], ["a.mp4", "Dress"]], "wanted columns"),
    ],
)
def test_a_broken_index_is_refused(tmp_path, rows, words):
    (tmp_path / "a.mp4").write_bytes(b"")
    with (tmp_path / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(DataError, match=words):
        footage.read_clips(tmp_path / "index.csv")
