"""The videos that lists, patterns, folders and URLs name."""

import make
import pytest

from preprocessing.errors import UsageError
from realtime.batch.lists import absolute, listed


def test_a_list_names_files_patterns_and_urls(tmp_path, monkeypatch):
    for name in ("a.mp4", "b 1.mp4"):
        make.clip(tmp_path / name, frames=2)
    first, second = tmp_path / "a.mp4", tmp_path / "b 1.mp4"
    (tmp_path / "list.txt").write_text(f"{first}\n\n{tmp_path}/b*.mp4\n{second.as_uri()}\n")
    assert listed([str(tmp_path / "list.txt")]) == [str(first), str(second), str(second)]
    assert listed([str(tmp_path)]) == [str(first), str(second)]
    monkeypatch.chdir(tmp_path)
    assert absolute("a.mp4") == str(first) and absolute(second.as_uri()) == str(second)
    assert absolute("s3://cam/a.mp4") == "s3://cam/a.mp4"


def test_lists_that_name_nothing(tmp_path):
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(UsageError, match="a line"):
        listed([str(tmp_path / "list.txt")])
    with pytest.raises(UsageError, match="cannot read the list"):
        listed([str(tmp_path / "none.txt")])
