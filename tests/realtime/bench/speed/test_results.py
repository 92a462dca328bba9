"""Results in their file."""

from dataclasses import replace

import pytest
from bench_results import MACHINE

from preprocessing.errors import DataError, SinkError, UsageError
from realtime.bench.speed.results import Key, Skip, read, resumed, write


def test_what_is_written_is_read(tmp_path, results):
    path = tmp_path / "a.json"
    write(path, results)
    found = read(path)
    assert (found.runs, found.skips) == (results.runs, results.skips)
    assert (found.machine, found.clips) == (results.machine, results.clips)
    assert found.has(Key("programs", "peer"), 1) and not found.has(Key("programs", "peer"), 2)


def test_a_later_run_goes_on_with_what_is_there(tmp_path, results):
    path = tmp_path / "a.json"
    assert resumed(path, MACHINE, 100).runs == []
    write(path, results)
    assert resumed(path, MACHINE, 100).runs == results.runs


@pytest.mark.parametrize(
    ("machine", "frames", "named"),
    [
        (replace(MACHINE, cpu="other"), 100, "processor"),
        (replace(MACHINE, versions={"openvino": "2027"}), 100, "versions"),
        (replace(MACHINE, commit="fff0000"), 100, "commit"),
        (MACHINE, 99, "number of frames"),
    ],
)
def test_figures_of_something_else_are_not_mixed_in(tmp_path, results, machine, frames, named):
    write(tmp_path / "a.json", results)
    with pytest.raises(UsageError, match=f"another {named}"):
        resumed(tmp_path / "a.json", machine, frames)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 0}', '{"version": 1, "runs": 3}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match="no results of this bench"):
        read(path)


def test_a_folder_that_is_not_there(tmp_path, results):
    with pytest.raises(SinkError):
        write(tmp_path / "no" / "a.json", results)


def test_a_reason_replaces_the_one_before(results):
    results.skip(Skip("programs", "MMDetection loop", "another"))
    assert [skip.reason for skip in results.skips] == ["another"]
