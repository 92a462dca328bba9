"""The table of what each program keeps."""

import pytest

from preprocessing.errors import UsageError
from realtime.bench.fidelity.inputs import Cell
from realtime.bench.fidelity.matrix import Result, inputs
from realtime.bench.fidelity.peers import run_peer, table, through_peer
from realtime.bench.fidelity.verdicts import EXACT, PROPERTIES, WRONG

CELL = Cell("mkv", "MJPEG", "none", "0")


def test_counts_of_what_is_kept():
    exact = dict.fromkeys(PROPERTIES, EXACT)
    results = [Result(CELL, "app", exact), Result(CELL, "app", exact | {"sound": WRONG}),
               Result(CELL, "peer", exact), Result(CELL, "peer", exact)]  # fmt: skip
    lines = table(results).splitlines()
    assert lines[0] == "| of 2 inputs | app | peer |"
    assert "| sound | 1 | 2 |" in lines and "| times | 2 | 2 |" in lines
    assert lines[-1] == "| all of these | 1 | 2 |"


def test_the_video_that_a_program_leaves_is_judged(tmp_path):
    ((_, path, given),) = inputs(tmp_path, [CELL])
    out = tmp_path / "out"
    out.mkdir()
    nothing = through_peer(CELL, path, given, name="peer", out=out)
    assert set(nothing.verdicts.values()) == {WRONG}
    (out / "copy.mkv").write_bytes(path.read_bytes())
    copied = through_peer(CELL, path, given, name="peer", out=out)
    assert copied.verdicts["frames"] == copied.verdicts["times"] == EXACT


def test_a_peer_that_is_not_installed_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"supervision failed .*nothing_here.*requirements-bench"):
        run_peer("supervision", "import nothing_here", tmp_path, tmp_path)
