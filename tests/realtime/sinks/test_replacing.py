"""Outputs that exist: as they were until the new one is whole, whatever ends the run."""

import os
from functools import partial
from pathlib import Path

import make
import pytest

from preprocessing.errors import BrokenSourceError, SinkError
from realtime.library.pipeline import Stopped, ended_whole
from realtime.runtime.stats import Stats
from realtime.sinks.replacing import replacing
from realtime.sinks.sink import opened
from realtime.sinks.sink_table import SINKS, STATS, OutputSettings, make_sinks

# Frames without events leave nothing of these.
FILES = [name for name, row in SINKS.items() if not row.is_folder and name != "events"]


def write(outputs, *, frames=3, error=None, live=False, during=lambda: None):
    """Write outputs as a run does, which `error` ends."""
    stats = Stats()
    stats.written = frames
    whole = partial(ended_whole, info=make.info(live=live), stats=stats)
    with replacing(outputs, whole=whole) as written:
        sinks = make_sinks(written)
        with opened(sinks, make.info()):
            for index in range(frames):
                for sink in sinks:
                    sink.write(make.labelled(index, make.garment()))
            during()
            if error:
                raise error


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def old_output(folder, name):
    """An output that is there already, as settings."""
    if name == "parquet":
        pytest.importorskip("pyarrow")
    path = folder / f"a{SINKS[name].suffix}"
    path.write_bytes(b"old")
    return path, OutputSettings(paths={name: path}, audio=False)


@pytest.mark.parametrize("error", [None, Stopped()], ids=["end", "a camera's end by Ctrl-C"])
@pytest.mark.parametrize("name", FILES)
def test_an_output_is_as_it_was_until_the_new_one_is_whole(tmp_path, name, error):
    path, outputs = old_output(tmp_path, name)
    path.chmod(0o640)
    seen = []
    try:
        write(outputs, error=error, live=True, during=lambda: seen.append(path.read_bytes()))
    except Stopped:
        assert error
    assert seen == [b"old"] and path.read_bytes() != b"old" and path.stat().st_size > 3
    assert names(tmp_path) == [path.name] and path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "error", [Stopped(), BrokenSourceError("cable"), SinkError("full"), KeyError()], ids=repr
)
@pytest.mark.parametrize("name", FILES)
def test_an_early_end_keeps_the_old_output_and_names_the_new_one(tmp_path, caplog, name, error):
    path, outputs = old_output(tmp_path, name)
    part = f"a.part{path.suffix}"
    with pytest.raises(type(error)):
        write(outputs, error=error)
    assert path.read_bytes() == b"old" and names(tmp_path) == sorted([part, path.name])
    assert part in caplog.text
    with pytest.raises(type(error)):
        write(outputs, error=error)
    assert names(tmp_path) == sorted([f"a.part-2{path.suffix}", part, path.name])


def test_a_camera_that_is_ended_before_its_first_frame(tmp_path):
    path, outputs = old_output(tmp_path, "jsonl")
    with pytest.raises(Stopped):
        write(outputs, frames=0, live=True, error=Stopped())
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.jsonl"]


def test_after_a_kill_the_part_plays_and_the_old_one_is_there(tmp_path):
    path, outputs = old_output(tmp_path, "out")
    parts = []
    write(outputs, frames=40,
          during=lambda: parts.append((tmp_path / "a.part.mp4").read_bytes()))  # fmt: skip
    (tmp_path / "killed.mp4").write_bytes(parts[0])
    assert len(make.decoded(tmp_path / "killed.mp4")[0]) > 20
    assert len(make.decoded(path)[0]) == 40


def test_a_new_output_is_written_under_its_own_name(tmp_path):
    (tmp_path / "empty.mp4").touch()  # as scripts reserve a name
    paths = {"out": tmp_path / "empty.mp4", "jsonl": tmp_path / "a.jsonl"}
    seen = []
    write(OutputSettings(paths=paths, audio=False), during=lambda: seen.extend(names(tmp_path)))
    assert seen == ["a.jsonl", "empty.mp4"]


def test_links_stay_and_other_names_of_the_file_keep_their_content(tmp_path):
    (tmp_path / "data").mkdir()
    path, _ = old_output(tmp_path / "data", "csv")
    os.link(path, tmp_path / "backup.csv")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    write(OutputSettings(paths={"csv": link}))
    assert link.is_symlink() and link.read_text().startswith("frame,")
    assert (tmp_path / "backup.csv").read_bytes() == b"old" and names(path.parent) == ["a.csv"]


def test_devices_are_written_to(tmp_path):
    outputs = OutputSettings(paths={"csv": Path("/dev/null"), "jsonl": Path("/dev/stdout")})
    with replacing(outputs, whole=lambda _: True) as written:
        assert written.paths == outputs.paths


def test_nothing_written_replaces_no_video_or_picture(tmp_path):
    for name, file in (("out", "a.mp4"), ("out", "a.png"), (STATS, "a.json")):
        path = tmp_path / file
        path.write_bytes(b"old")
        write(OutputSettings(paths={name: path}, audio=False), frames=0)
        assert path.read_bytes() == b"old" and names(tmp_path) == [file]
        path.unlink()


def test_no_garments_are_an_empty_file_of_rows(tmp_path):
    path, outputs = old_output(tmp_path, "jsonl")
    write(outputs, frames=0)
    assert path.read_bytes() == b"" and names(tmp_path) == ["a.jsonl"]


def test_parts_of_a_killed_run_are_kept(tmp_path):
    read_table = pytest.importorskip("pyarrow.parquet").read_table
    parts = tmp_path / "a.parquet.parts"
    parts.mkdir()
    (parts / "part-000000.parquet").write_bytes(b"rows")
    write(OutputSettings(paths={"parquet": tmp_path / "a.parquet"}))
    assert read_table(tmp_path / "a.parquet").num_rows == 3
    assert (parts / "part-000000.parquet").read_bytes() == b"rows"
    assert names(tmp_path) == ["a.parquet", "a.parquet.parts"]


def test_a_part_never_takes_another_output_s_name(tmp_path):
    path, outputs = old_output(tmp_path, "csv")
    other = tmp_path / "a.part.csv"
    write(OutputSettings(paths={**outputs.paths, "jsonl": other}))
    assert path.read_text().startswith("frame,") and other.read_text().startswith("{")
