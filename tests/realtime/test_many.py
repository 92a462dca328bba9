"""Several videos: what --video names, own outputs, and one bad file that stops no other."""

import make
import pytest

from preprocessing.errors import UsageError
from realtime.many import sources_of, stems


def test_patterns_and_folders_give_their_videos(tmp_path):
    for name in ("b.mp4", "a.MOV", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").touch()
    inside = [str(tmp_path / "a.MOV"), str(tmp_path / "b.mp4")]
    assert sources_of([str(tmp_path)]) == inside
    assert sources_of([str(tmp_path / "*.mp4")]) == inside[1:]
    assert sources_of([str(tmp_path / "pictures"), "x.mp4"]) == [
        str(tmp_path / "pictures"),
        "x.mp4",
    ]
    assert sources_of(["rtsp://host/a?b=[1]"]) == ["rtsp://host/a?b=[1]"]
    with pytest.raises(UsageError, match="no file matches"):
        sources_of([str(tmp_path / "*.avi")])


def test_files_of_one_name_do_not_overwrite_each_other():
    assert stems(["a/x.mp4", "b/x.mkv", "c/y.mp4"]) == ["x", "x-2", "y"]


def test_a_bad_file_stops_no_other(tmp_path):
    videos = [make.clip(tmp_path / f"{name}.mp4", frames=12) for name in ("a", "c")]
    (tmp_path / "b.mp4").write_text("no video")
    out, rows = tmp_path / "out", tmp_path / "rows"
    three = (videos[0], tmp_path / "b.mp4", videos[1])
    done = make.app("--video", *three, "-o", out, "--jsonl", rows, "--model", "deep")
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["a.mp4", "c.mp4"]
    assert [len(make.decoded(out / name)[0]) for name in ("a.mp4", "c.mp4")] == [12, 12]
    assert sorted(path.name for path in rows.iterdir()) == ["a.jsonl", "c.jsonl"]
    lines = done.stderr.strip().splitlines()[-3:]
    assert [line.split()[0] for line in lines] == [str(tmp_path / f"{n}.mp4") for n in "abc"]
    assert lines[0].endswith("done") and "b.mp4" in lines[1] and "Traceback" not in done.stderr


def test_several_videos_need_a_folder(tmp_path):
    videos = [make.clip(tmp_path / f"{name}.mp4", frames=3) for name in "ab"]
    done = make.app("--video", *videos)
    assert done.returncode == 2 and "-o FOLDER" in done.stderr
    (tmp_path / "file").touch()
    done = make.app("--video", *videos, "-o", tmp_path / "file")
    assert done.returncode == 5 and "is none" in done.stderr
