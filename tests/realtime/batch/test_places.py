"""Where results lie: one run at a time, names that stay, nothing half-written."""

import pytest
from filelock import FileLock

from preprocessing.errors import SinkError
from realtime.batch.places import discard, locked, names_of, put, unfinished, write_video


def test_a_second_run_is_refused_and_the_next_one_cleans_up(tmp_path):
    out, units = tmp_path / "out", tmp_path / "out" / "units" / "a"
    (units / "000000").mkdir(parents=True)

    def leave():
        unfinished(units / "000001").mkdir()
        unfinished(out / "a.mp4").touch()

    def names():
        return {path.name for path in (*out.iterdir(), *units.iterdir())}

    leave()  # as a killed run
    with locked(out):
        assert names() == {".lock", "units", "000000"}
        with pytest.raises(SinkError, match=r"another run.*--out"), locked(out):
            pass
        leave()
    assert names() == {".lock", "units", "000000"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"), locked(tmp_path / "file" / "out"):
        pass

    def unsupported(*_):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", unsupported)
    with pytest.raises(SinkError, match="no locks"), locked(tmp_path):
        pass


def test_a_folder_is_replaced_in_one_step(tmp_path):
    place, new = tmp_path / "000000", tmp_path / "new"
    for folder, text in ((place, "old"), (new, "new")):
        folder.mkdir()
        (folder / text).write_text(text)
    put(new, place)
    assert [path.name for path in place.iterdir()] == ["new"]
    discard(place)
    discard(place)
    assert list(tmp_path.iterdir()) == []


def test_videos_keep_their_names_whatever_joins_them(tmp_path):
    def named(*videos: str) -> list[str]:
        names = names_of(videos, tmp_path)
        for video in videos:
            write_video(tmp_path / "units" / names[video], video, names[video])
        return [names[video] for video in videos]

    assert named("/x/a.mp4", "/y/a.mp4") == ["a", "a-2"]
    assert named("/y/a.mp4", "/x/a.mp4") == ["a-2", "a"]
    assert named("/w/A.mkv", "/y/a.mp4") == ["A-3", "a-2"]
    assert named("/z/a-2.mp4", "/v/a.mp4") == ["a-2-2", "a-4"]
    write_video(tmp_path / "units" / "a 0-1", "/x/a.mp4", "a")  # of a part
    assert named("/x/a.mp4") == ["a"]
