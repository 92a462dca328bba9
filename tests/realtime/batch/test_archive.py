"""The archive on Ray: the results of a single run, also after a killed worker or a restart."""

import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import av
import make
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import BrokenSourceError, SinkError
from realtime.batch import archive
from realtime.batch.places import locked
from realtime.batch.workers import Ending, RayWorkers, in_turn
from realtime.settings import Recognition
from realtime.sources.open_source import open_source

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
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
    pytest.importorskip("ray", reason="ray is not installed")
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


def test_a_node_that_dies_loses_nothing(tmp_path, monkeypatch):
    """On a cluster of two machines and into a store, the results are those of one process."""
    for package in ("ray", "fsspec"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # whose sockets need short paths
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    from ray.cluster_utils import Cluster

    video = make.moving_clip(tmp_path / "in.mp4", size=(640, 480), repeats=10)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        second = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        workers = RayWorkers(cluster=cluster.address)
        assert workers.count() == 2

        def one_lost(units, task):
            endings = workers(units, task)
            yield next(endings)
            cluster.remove_node(second, allow_graceful=False)
            yield from endings

        given = settings_for(video, "--out", f"local://{tmp_path}/two", "--unit-frames", 40)
        assert archive.run_archive(given, one_lost) == 0
    finally:
        cluster.shutdown()
    given = settings_for(video, "--out", tmp_path / "one", "--unit-frames", 40)
    assert archive.run_archive(given, in_turn) == 0
    from pyarrow.parquet import read_table

    found, wanted = (read_table(tmp_path / name / "in.parquet") for name in ("two", "one"))
    assert found.equals(wanted) and set(found["frame"].to_pylist()) == set(range(400))
    assert make.decoded(tmp_path / "two" / "in.mp4")[1] == make.decoded(video)[1]


def settings_for(*arguments):
    flags = ("--model", "deep", "--locate", "segment", "--unit-frames", "20", *arguments)
    return archive.read_settings(list(map(str, flags)))


def run(capsys, *arguments):
    """Run the command, one unit after the other; its exit status and the line on reuse."""
    status = archive.run_archive(settings_for(*arguments), in_turn)
    lines = capsys.readouterr().err.splitlines()
    return status, next(line for line in lines if " units of " in line)


def test_only_what_changed_is_made_anew(tmp_path, capsys):
    first, second = (make.moving_clip(tmp_path / f"{name}.mp4") for name in "ab")
    given = (first, second, "--out", tmp_path / "out", "--rows-only")
    assert run(capsys, *given) == (0, "4 units of 2 videos, 0 reused, 4 to do (4 new)")
    rows = (tmp_path / "out" / "a.parquet").read_bytes()
    assert run(capsys, *given) == (0, "4 units of 2 videos, 4 reused, 0 to do")
    assert (tmp_path / "out" / "a.parquet").read_bytes() == rows
    make.moving_clip(first, repeats=2)
    shutil.rmtree(tmp_path / "out" / "units" / "b" / "000001")
    assert run(capsys, *given) == (
        0, "6 units of 2 videos, 1 reused, 5 to do (2 source changed, 3 new)"
    )  # fmt: skip
    assert {frame for frame, *_ in rows_of(tmp_path / "out" / "a.parquet")} == set(range(80))
    assert run(capsys, *given, "--colour") == (
        0, "6 units of 2 videos, 0 reused, 6 to do (6 settings changed)"
    )  # fmt: skip
    assert run(capsys, *given, "--colour", "--no-resume") == (
        0, "6 units of 2 videos, 0 reused, 6 to do (6 --no-resume)"
    )  # fmt: skip
    assert run(capsys, *given, "--colour", "--unit-frames", 60) == (
        0, "3 units of 2 videos, 0 reused, 3 to do (3 settings changed)"
    )  # fmt: skip
    assert len(list((tmp_path / "out" / "units" / "a").glob("0*"))) == 2


def damaged(path, *, lost):
    """Overwrite a packet of a clip with zeros."""
    with av.open(str(path)) as container:
        packet = [(one.pos, one.size) for one in container.demux(video=0)][lost]
    with path.open("r+b") as file:
        file.seek(packet[0])
        file.write(bytes(packet[1]))
    return path


def test_damaged_files_fail_with_all_that_could_be_decoded(tmp_path, capsys):
    whole = make.clip(tmp_path / "whole.mp4", frames=50, gop=10)
    damage = damaged(make.clip(tmp_path / "damage.mp4", frames=50, gop=10), lost=15)
    cut = make.clip(tmp_path / "cut.mp4", frames=50, gop=10)
    with av.open(str(cut)) as container:
        end = [one.pos for one in container.demux(video=0)][30]
    os.truncate(cut, end)
    options = {"output_ts_offset": "-0.333333", "avoid_negative_ts": "disabled"}
    hidden = make.remuxed(whole, tmp_path / "hidden.mp4", options=options)
    out = tmp_path / "out"
    videos = (damage, cut, hidden, whole)
    assert archive.run_archive(settings_for(*videos, "--out", out), in_turn) == 4
    lines = capsys.readouterr().err.splitlines()[-4:]
    assert "is damaged: 1 frames are lost, the other 49 are in its results" in lines[0]
    assert "is truncated: it ends after " in lines[1] and lines[2].endswith("done")
    for video in videos:
        with open_source(str(video)) as source:
            times = []
            with suppress(BrokenSourceError):
                times += (round(frame.time, 4) for frame in source)
        found = make.decoded(out / video.name)[1]
        assert [round(float(time), 4) for time in found] == times, video
    assert [len(make.decoded(out / one.name)[0]) for one in (damage, hidden, whole)] == [49, 40, 50]


def test_a_folder_in_use_or_of_no_use_ends_with_one_line(tmp_path, capsys):
    video, out = make.clip(tmp_path / "a.mp4", frames=3), tmp_path / "out"
    given = (str(video), "--model", "deep", "--locate", "none", "--out")
    with locked(out):
        assert archive.main([*given, str(out)]) == 5
    (error,) = capsys.readouterr().err.splitlines()
    assert "another run writes into" in error
    assert archive.main([*given, str(video / "out")]) == 5
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: cannot write") and "make room" in error


def test_a_full_disk_ends_the_run_and_keeps_whole_units(tmp_path, monkeypatch, capsys):
    video = make.clip(tmp_path / "a.mp4", frames=60)
    given = settings_for(video, "--out", tmp_path / "out", "--rows-only")

    def full(units, task):
        yield next(in_turn(units, task))
        yield units[1], Ending(5, "cannot write it (No space left on device)")

    with pytest.raises(SinkError, match="No space left"):
        archive.run_archive(given, full)
    assert "Traceback" not in capsys.readouterr().err
    assert archive.run_archive(given, in_turn) == 0
    assert "1 reused, 2 to do (2 new)" in capsys.readouterr().err


def test_units_that_another_program_changed_are_not_joined(tmp_path):
    video, out = make.clip(tmp_path / "a.mp4", frames=10), tmp_path / "out"

    def late(units, task):
        """As a worker of a killed run that ends after the one of this run."""
        yield from in_turn(units, task)
        (units[0].folder / "record.json").write_text("{}")

    assert archive.run_archive(settings_for(video, "--out", out), late) == 4
    assert not (out / "a.parquet").exists()


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


def test_videos_of_one_name_keep_their_results_apart(tmp_path):
    first, second = (tmp_path / folder / "a.mp4" for folder in "xy")
    for video, frames in ((first, 3), (second, 5)):
        video.parent.mkdir()
        make.clip(video, frames=frames)
    for videos in ((second,), (first, second)):  # which is no other one's then
        settings = settings_for(*videos, "--out", tmp_path / "out")
        assert archive.run_archive(settings, in_turn) == 0
    counts = [len(make.decoded(tmp_path / "out" / name)[0]) for name in ("a.mp4", "a-2.mp4")]
    assert counts == [5, 3]
