"""Lists of labelled footage."""

import csv

import cv2
import make
import numpy as np
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


def test_empty_rooms_are_pictures_and_videos_of_a_folder_or_the_rows_without_labels(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30, 3), 70, np.uint8))
    make.clip(tmp_path / "b.mp4", frames=footage.GROUND_INTERVAL + 1)
    (tmp_path / "c.txt").write_text("")
    assert [(one.path.name, one.photo) for one in footage.read_empty(tmp_path)] == [
        ("a.png", True),
        ("b.mp4", False),
    ]
    grounds = footage.read_grounds(tmp_path)
    assert [image.shape for image in grounds] == [(20, 30, 3), (48, 64, 3), (48, 64, 3)]
    assert (grounds[0] == 70).all()
    (tmp_path / "index.csv").write_text("file,labels\nb.mp4,Dress\na.png,\n")
    assert [one.path.name for one in footage.read_empty(tmp_path / "index.csv")] == ["a.png"]
    (tmp_path / "index.csv").write_text("file,labels\nb.mp4,Dress\n")
    with pytest.raises(DataError, match="no footage"):
        footage.read_empty(tmp_path / "index.csv")
