"""Tags of photos: by path, or one clear error."""

import pytest

from preprocessing.datasets.photo_tags import read_tags
from preprocessing.errors import DataError


def test_tags_are_read_by_path(tmp_path):
    file = tmp_path / "tags.csv"
    file.write_text("path,tags\nphotos/7.jpg,coat|hair\nb.jpg,\n")
    assert read_tags(file) == {"photos/7.jpg": {"coat", "hair"}, "b.jpg": {""}}


@pytest.mark.parametrize(
    "text", [b"path,label\na.jpg,coat\n", b"path,tags\na.jpg\n", b"path,tags\n\xff,a\n"]
)
def test_files_without_tags_are_refused(tmp_path, text):
    file = tmp_path / "tags.csv"
    file.write_bytes(text)
    with pytest.raises(DataError, match=r"path,tags|UTF-8"):
        read_tags(file)
