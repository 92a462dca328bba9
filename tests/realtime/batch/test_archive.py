"""The archive on Ray: the results of a single run, also after a killed worker or a restart."""

import json
import os
import signal
import sys
from pathlib import Path

import make
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import SinkError, UsageError
from realtime.batch import archive
from realtime.batch.units import Unit, units_of
from realtime.settings import Recognition
from realtime.sources.segments import Segment

ray = pytest.importorskip("ray", reason="ray is not installed")
FLAGS = ("--model", "deep", "--locate", "segment")


def started(*arguments):
    command = [sys.executable, "-m", "realtime.batch.archive"]
    return make.start(*arguments, *FLAGS, command=command, cwd=make.ROOT)


def finished(*arguments):
    process = started(*arguments)
    _, errors = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in errors, errors
    return process.returncode, errors


def rows_of(path):
    from pyarrow.parquet import read_table

    return [(r["frame"], r["time"], r["x1"], r["label"]) for r in read_table(path).to_pylist()]


def workers_of(process) -> list[int]:
    """Ids of those of a process's Ray workers that process a unit."""
    found, waiting = [], [process.pid]
    while waiting:
        pid = waiting.pop()
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::work"):
                found.append(pid)
        except OSError:
            continue  # it has ended since
    return found


def test_a_killed_worker_and_a_bad_file_lose_nothing(tmp_path):
    video = make.moving_clip(tmp_path / "in.mp4", size=(640, 480), repeats=10, audio=True)
    (tmp_path / "bad.mp4").write_text("no video")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/bad.mp4\n\n{video}\n")
    out = tmp_path / "out"
    process = started(tmp_path / "list.txt", "--out", out, "--unit-frames", 100, "--workers", 2)
    busy = until(lambda: workers_of(process))
    os.kill(busy[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3 and "Traceback" not in errors, errors
    assert "bad.mp4" in errors and "4 of 4" in errors
    images, times = make.decoded(out / "in.mp4")
    assert len(images) == 400 and times == make.decoded(video)[1]
    assert make.sound_packets(out / "in.mp4") == make.sound_packets(video)
    frames = {frame for frame, *_ in rows_of(out / "in.parquet")}
    assert frames == set(range(400))


def test_finished_units_are_not_processed_again(tmp_path):
    video = make.moving_clip(tmp_path / "in.mp4", repeats=3)
    out = tmp_path / "out"
    status, errors = finished(video, "--out", out, "--unit-frames", 50, "--rows-only")
    assert status == 0 and "3 units of 1 videos, 3 to do" in errors
    rows = rows_of(out / "in.parquet")
    assert {frame for frame, *_ in rows} == set(range(120)) and not (out / "in.mp4").exists()
    lost = out / "units" / "in" / "000001"
    report = json.loads((lost / "stats.json").read_text())
    assert report["frames"]["written"] == 50
    for name in lost.iterdir():
        name.unlink()
    lost.rmdir()
    status, errors = finished(video, "--out", out, "--unit-frames", 50, "--rows-only")
    assert status == 0 and "3 units of 1 videos, 1 to do" in errors
    assert [row[:2] for row in rows_of(out / "in.parquet")] == [row[:2] for row in rows]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (["in.mp4"], True),
        (["in.MP4"], True),
        (["a/in.mov", "in.mp4"], True),
        (["in.mov"], False),
        (["a/in.mp4"], False),
    ],
)
def test_no_result_replaces_a_video(tmp_path, names, refused):
    videos = tuple(str(tmp_path / name) for name in names)
    for video in videos:
        Path(video).parent.mkdir(exist_ok=True)
        Path(video).write_text("no video")
    settings = archive.ArchiveSettings(videos=videos, out=tmp_path, recognition=Recognition())
    if refused:
        with pytest.raises(SinkError, match=r"is the input.*--out"):
            archive.run_archive(settings)
        assert not (tmp_path / "units").exists()
    else:
        assert archive.run_archive(settings) == 3  # it is no video
    assert {Path(video).read_text() for video in videos} == {"no video"}


def test_another_video_of_the_same_name_is_no_resumption(tmp_path):
    first, second = (make.clip(tmp_path / f"{name}.mp4", frames=3) for name in "ab")
    out = tmp_path / "out"
    units_of(str(first), out / "units" / "b", 100)
    settings = archive.ArchiveSettings(videos=(str(second),), out=out, recognition=Recognition())
    with pytest.raises(SinkError, match=r"results of .*a\.mp4 as b"):
        archive.run_archive(settings)


def test_lists_that_name_nothing(tmp_path):
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(UsageError, match="a line"):
        archive.listed([str(tmp_path / "list.txt")])
    with pytest.raises(UsageError, match="cannot read the list"):
        archive.listed([str(tmp_path / "none.txt")])


def test_without_ray(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    unit = Unit(Segment("in.mp4", 0, 1, 0), tmp_path / "unit", 0)
    settings = archive.ArchiveSettings(videos=(), out=tmp_path, recognition=Recognition())
    with pytest.raises(UsageError, match="pip install ray"):
        list(archive.process([unit], settings))
