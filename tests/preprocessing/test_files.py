"""Files of users: natural order, free names, whole files, and inputs that outputs may not be."""

import os
from pathlib import Path

import pytest

from preprocessing.errors import SinkError
from preprocessing.files import Inputs, free_path, natural_key, write_whole


def test_people_count():
    names = ["f/10", "f/2.png", "f/frame10.jpg", "f/frame2.jpg", "f/frame02.jpg", "a10/1", "a9/1"]
    assert sorted(names, key=natural_key) == [
        "a9/1", "a10/1", "f/2.png", "f/10", "f/frame02.jpg", "f/frame2.jpg", "f/frame10.jpg",
    ]  # fmt: skip


def test_a_free_name(tmp_path):
    assert free_path(tmp_path / "a.b.mp4") == tmp_path / "a.b.mp4"
    (tmp_path / "a.b.mp4").touch()
    (tmp_path / "a.b-2.mp4").symlink_to("nowhere")
    assert free_path(tmp_path / "a.b.mp4") == tmp_path / "a.b-3.mp4"


def test_a_whole_file_replaces_the_old_one_and_keeps_links(tmp_path):
    old, soft, hard = (tmp_path / name for name in ("old", "soft", "hard"))
    old.write_bytes(b"old")
    soft.symlink_to(old)
    os.link(old, hard)
    write_whole(soft, b"new")
    assert soft.is_symlink() and old.read_bytes() == b"new" and hard.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hard", "old", "soft"]
    write_whole(Path("/dev/null"), b"gone")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "old").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="space"):
        write_whole(tmp_path / "old", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.fixture
def folder(tmp_path):
    """in.mp4 and its links beside pics/a.jpg and pics/notes.txt."""
    (tmp_path / "in.mp4").write_bytes(b"video")
    (tmp_path / "soft.mp4").symlink_to("in.mp4")
    os.link(tmp_path / "in.mp4", tmp_path / "hard.mp4")
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "pics" / "notes.txt").write_bytes(b"notes")
    (tmp_path / "other").symlink_to("pics")
    os.link(tmp_path / "pics" / "a.jpg", tmp_path / "a.jpg")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "output", "words"),
    [
        ("in.mp4", "in.mp4", "the input"),
        ("in.mp4", "pics/../in.mp4", "the input"),
        ("in.mp4", "soft.mp4", "the input"),
        ("soft.mp4", "in.mp4", "the input"),
        ("in.mp4", "hard.mp4", "the input"),
        ("in.mp4", "IN.MP4", "the input"),
        ("in.mp4", "in.mkv", ""),
        ("pics", "pics", "the input"),
        ("pics", "pics/a.jpg", "a file of the input folder"),
        ("pics", "pics/A.jpg", "a file of the input folder"),
        ("pics", "other/notes.txt", "a file of the input folder"),
        ("other", "pics/notes.txt", "a file of the input folder"),
        ("pics", "a.jpg", "a file of the input folder"),
        ("pics", "pics/new.mp4", ""),
        ("none.mp4", "none.mp4", ""),
    ],
)
def test_outputs_that_are_inputs(folder, given, output, words):
    inputs = Inputs([folder / given])
    assert inputs.at(folder / output).startswith(words) and bool(words) == bool(
        inputs.at(folder / output)
    )
    if words:
        with pytest.raises(SinkError, match="give --csv another name"):
            inputs.keep_from("--csv", folder / output)
