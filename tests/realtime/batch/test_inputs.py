"""Inputs of a command: patterns, folders, what those hold besides, files that are read."""

import pytest

from preprocessing.errors import UsageError
from realtime.batch.inputs import expand, inputs_of, left_out
from realtime.settings import Recognition


def test_patterns_and_folders_give_their_videos(tmp_path):
    for name in ("b.mp4", "a.MOV", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").touch()
    inside = [str(tmp_path / "a.MOV"), str(tmp_path / "b.mp4")]
    assert expand([str(tmp_path)]) == inside
    assert expand([str(tmp_path / "*.mp4")]) == inside[1:]
    assert expand([str(tmp_path / "pictures"), "x.mp4"]) == [
        str(tmp_path / "pictures"),
        "x.mp4",
    ]
    assert expand(["rtsp://host/a?b=[1]"]) == ["rtsp://host/a?b=[1]"]
    with pytest.raises(UsageError, match="no file matches"):
        expand([str(tmp_path / "*.avi")])


def test_folders_come_in_natural_order(tmp_path):
    for number in (10, 9, 1):
        (tmp_path / f"cam{number}.mp4").touch()
    inside = [str(tmp_path / f"cam{number}.mp4") for number in (1, 9, 10)]
    assert expand([str(tmp_path)]) == expand([str(tmp_path / "*.mp4")]) == inside


def test_what_a_folder_holds_besides_is_counted(tmp_path):
    for name in ("a.png", "b10.png", "b9.png", ".DS_Store", "notes.txt"):
        (tmp_path / name).touch()
    assert left_out(tmp_path) == "1 other file (notes.txt)"
    (tmp_path / "c.mp4").touch()
    (tmp_path / "deep").mkdir()
    assert left_out(tmp_path) == (
        "3 pictures (a.png, ...), 1 other file (notes.txt), 1 folder (deep)"
    )


def test_every_file_that_a_command_names_is_an_input(tmp_path):
    names = ("in put.mp4", "w.onnx", "wardrobe.npz", "other.mp4")
    files = [tmp_path / name for name in names]
    for file in files:
        file.touch()
    recognition = Recognition(model=str(files[1]), wardrobe=files[2])
    for address in (str(files[0]), f"file://{tmp_path}/in%20put.mp4"):
        inputs = inputs_of([address, 0, "rtsp://host/in"], recognition)
        assert [bool(inputs.at(file)) for file in files] == [True, True, True, False]
