"""The table of sinks: the contract that every row keeps, and the checks of their paths."""

import sys
from dataclasses import replace
from pathlib import Path

import make
import pytest
from event_receivers import event

from preprocessing.errors import SinkError, UsageError
from preprocessing.files import Inputs
from realtime.sinks.sink_table import (
    SINKS,
    STATS,
    OutputSettings,
    check_outputs,
    make_sinks,
    refuse_inputs,
)

FRAMES = [
    make.labelled(index, make.garment(colour="red"), make.garment("unknown", track=2))
    for index in range(4)
]
FRAMES[2] = replace(FRAMES[2], events=[event(1)])


def path_of(name, folder):
    return folder / f"an output{SINKS[name].suffix}"


@pytest.mark.parametrize("name", SINKS)
@pytest.mark.parametrize("frames", [FRAMES, []], ids=["frames", "no frames"])
def test_every_sink_touches_nothing_until_it_opens_and_leaves_an_output(tmp_path, name, frames):
    if name == "parquet":
        pytest.importorskip("pyarrow")
    path = path_of(name, tmp_path)
    (sink,) = make_sinks(OutputSettings(paths={name: path}))
    assert list(tmp_path.iterdir()) == [] and isinstance(sink.needs_picture, bool)
    make.write_all(sink, *frames)
    assert path.exists() or not frames
    if frames and SINKS[name].is_folder:
        assert any(path.iterdir())


@pytest.mark.parametrize("name", [name for name, row in SINKS.items() if not row.is_folder])
def test_every_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path, name):
    if name == "parquet":
        pytest.importorskip("pyarrow")
    path = path_of(name, tmp_path / "none")
    (sink,) = make_sinks(OutputSettings(paths={name: path}))
    with pytest.raises(SinkError, match="an output"):
        make.write_all(sink, *FRAMES)


def test_a_picture_by_the_suffix(tmp_path):
    (sink,) = make_sinks(OutputSettings(paths={"out": tmp_path / "out.PNG"}))
    make.write_all(sink, *FRAMES)
    assert (tmp_path / "out.PNG").read_bytes()[1:4] == b"PNG"


def test_nothing_opens_if_one_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    rows = tmp_path / "old.jsonl"
    rows.write_text("kept\n")
    with pytest.raises(UsageError, match="pip install pyarrow"):
        make_sinks(OutputSettings(paths={"jsonl": rows, "parquet": tmp_path / "rows.parquet"}))
    with pytest.raises(SinkError, match="unknown kind"):
        make_sinks(OutputSettings(paths={"jsonl": rows, "out": tmp_path / "out.txt"}))
    assert rows.read_text() == "kept\n"


def test_outputs_are_checked_early(tmp_path):
    def check(**paths):
        check_outputs(OutputSettings(paths=paths))

    with pytest.raises(SinkError, match="no folder"):
        check(out=tmp_path / "none" / "out.mp4")
    for name in ("out", STATS):
        with pytest.raises(SinkError, match="is a folder"):
            check(**{name: tmp_path})
    with pytest.raises(SinkError, match="unknown kind"):
        check(jsonl=tmp_path / "rows.jsonl", out=tmp_path / "out.txt")
    check(crops=tmp_path, snapshots=tmp_path / "none", jsonl=tmp_path / "rows.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "old"),
    [("crops", "000012.jpg"), ("crops", "crops.csv"), ("snapshots", "frame-000012.png")],
)
def test_a_folder_of_another_run_says_so(tmp_path, name, old):
    (tmp_path / "notes.txt").touch()
    check_outputs(OutputSettings(paths={name: tmp_path}))
    (tmp_path / old).touch()
    with pytest.raises(SinkError, match=rf"another run.*{old}.*--{name} DIR"):
        check_outputs(OutputSettings(paths={name: tmp_path}))
    other = "crops" if name == "snapshots" else "snapshots"
    check_outputs(OutputSettings(paths={other: tmp_path}))


@pytest.mark.parametrize("name", [*SINKS, STATS])
def test_no_output_is_an_input(tmp_path, name):
    given = tmp_path / "given"
    given.mkdir()
    path = given if name in SINKS and SINKS[name].is_folder else given / "file"
    path.exists() or path.touch()
    with pytest.raises(SinkError, match=r"is .* input"):
        refuse_inputs(OutputSettings(paths={name: path}), Inputs([given]))
    refuse_inputs(OutputSettings(paths={name: tmp_path / "other"}), Inputs([given]))


@pytest.mark.parametrize(
    ("outputs", "given"),
    [({"parquet": "a.parquet"}, "a.parquet.parts"), ({"crops": "c"}, "c/crops.csv")],
)
def test_nothing_that_belongs_to_an_output_is_an_input(tmp_path, outputs, given):
    (tmp_path / given).parent.mkdir(exist_ok=True)
    (tmp_path / given).touch()
    paths = {name: tmp_path / path for name, path in outputs.items()}
    with pytest.raises(SinkError, match="is the input"):
        refuse_inputs(OutputSettings(paths=paths), Inputs([tmp_path / given]))


def test_no_two_outputs_are_one_file(tmp_path):
    paths = {"jsonl": tmp_path / "a", "csv": tmp_path / "A"}
    with pytest.raises(UsageError, match="--jsonl and --csv are the same file"):
        refuse_inputs(OutputSettings(paths=paths), Inputs([]))
    with pytest.raises(UsageError, match="--jsonl and --log"):
        refuse_inputs(
            OutputSettings(paths={"jsonl": tmp_path / "a"}), Inputs([]), log=tmp_path / "a"
        )
    with pytest.raises(SinkError, match="is the input"):
        refuse_inputs(OutputSettings(), Inputs([tmp_path]), log=tmp_path)
    null = {"jsonl": Path("/dev/null"), "csv": Path("/dev/null")}
    refuse_inputs(OutputSettings(paths=null | {"crops": tmp_path, "snapshots": tmp_path}),
                  Inputs([]))  # fmt: skip
