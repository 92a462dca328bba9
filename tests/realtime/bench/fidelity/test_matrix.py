"""Some cells of the fidelity matrix, such that every container, codec, sound and clock has one."""

import json

import pytest

from realtime.bench.fidelity import inputs
from realtime.bench.fidelity.inputs import GIF, WEBP, Cell
from realtime.bench.fidelity.matrix import Result, table, through_app, usual, write_json
from realtime.bench.fidelity.matrix import inputs as built
from realtime.bench.fidelity.verdicts import EXACT, PROPERTIES, REPORTED, WRONG

CELLS = [
    (Cell("mp4", "H.264", "AAC", "edit list"), "mkv"),
    (Cell("mp4", "HEVC 10 bit", "none", "variable"), "mp4"),
    (Cell("mp4", "AV1", "Opus", "picture late"), "mp4"),
    (Cell("mov", "ProRes", "PCM", "late"), "mp4"),
    (Cell("mkv", "VP9", "AC-3", "negative"), "mp4"),
    (Cell("mkv", "FFV1", "FLAC", "sound late"), "mkv"),
    (Cell("mkv", "H.264 10 bit", "none", "0"), "mp4"),
    (Cell("webm", "VP8", "Opus", "variable"), "mkv"),
    (Cell("avi", "H.264", "MP3", "0"), "mp4"),
    (Cell("avi", "MJPEG", "none", "0"), "mp4"),
    (Cell("avi", "MPEG-4", "AC-3", "0"), "mkv"),
    (Cell("ts", "HEVC", "two", "late"), "mp4"),
    (Cell("ts", "MPEG-2", "AAC", "negative"), "mkv"),
    (Cell("flv", "H.264", "MP3", "variable"), "mp4"),
    (Cell("gif", GIF, "none", "variable"), "mp4"),
    (Cell("webp", WEBP, "none", "0"), "mkv"),
]


@pytest.mark.parametrize(("cell", "output"), CELLS, ids=lambda one: getattr(one, "name", one))
def test_what_goes_in_comes_out(tmp_path, cell, output):
    ((_, path, given),) = built(tmp_path, [cell])
    result = through_app(cell, path, given, output=output)
    assert result.verdicts == dict.fromkeys(PROPERTIES, EXACT)
    assert not result.lines


def test_sound_that_an_output_cannot_hold_is_reported(tmp_path):
    ((cell, path, given),) = built(tmp_path, [Cell("mov", "H.264", "PCM 8 bit", "0")])
    result = through_app(cell, path, given, output="mp4")
    assert result.verdicts == dict.fromkeys(PROPERTIES, EXACT) | {"sound": REPORTED}
    assert "write .mkv to keep it" in result.lines or "write .mov to keep it" in result.lines


def test_every_row_of_the_matrix_is_among_these_cells():
    cells = [cell for cell, _ in CELLS]
    assert {cell.container for cell in cells} == set(inputs.CONTAINERS)
    assert {cell.sound for cell in cells} == set(inputs.SOUNDS) - {"PCM 8 bit"}
    assert {cell.clock for cell in cells} == set(inputs.CLOCKS)
    assert {cell.codec.removesuffix(" 10 bit") for cell in cells} >= {
        codec.removesuffix(" 10 bit") for codec in inputs.CODECS
    }


def test_the_matrix_is_large():
    cells = list(filter(usual, inputs.cells()))
    assert len(cells) > 400 and len({cell.name for cell in cells}) == len(cells)


def test_files_that_cannot_be_are_no_cells(tmp_path):
    for cell in (
        Cell("webm", "VP8", "PCM", "0"),
        Cell("avi", "MJPEG", "none", "negative"),
        Cell("gif", GIF, "AAC", "0"),
    ):
        assert not list(built(tmp_path, [cell]))


def test_tables_name_what_is_not_exact(tmp_path):
    exact = dict.fromkeys(PROPERTIES, EXACT)
    first, second = Cell("mp4", "H.264", "AAC", "0"), Cell("avi", "MJPEG", "PCM", "late")
    results = [
        Result(first, "mp4", exact),
        Result(first, "mkv", exact | {"sound": REPORTED}, lines="a line"),
        Result(second, "mp4", exact | {"sound": REPORTED, "times": WRONG}),
    ]
    lines = table(results).splitlines()
    assert lines[1].split() == ["mp4", "H.264", "1", "1", "0"]
    assert lines[2].split() == ["avi", "MJPEG", "0", "0", "1"]
    assert lines[3].split() == ["3", "cells", "1", "1", "1"]
    assert lines[4] == f"{first.name} to mkv: sound reported a line"
    write_json(tmp_path / "cells.json", results)
    (_, row, _) = json.loads((tmp_path / "cells.json").read_text())
    assert (row["container"], row["sound"], row["output"]) == ("mp4", "AAC", "mkv")
    assert row["verdicts"] == exact | {"sound": REPORTED} and row["lines"] == "a line"
