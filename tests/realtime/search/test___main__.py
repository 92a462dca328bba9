"""The command: its outputs and its exit status."""

import json

import make
import pytest

from realtime.search.__main__ import main
from realtime.search.storage import RunWriter


@pytest.fixture
def index(tmp_path, stays):
    writer = RunWriter(tmp_path / "index", "run")
    writer.open()
    source = make.clip(tmp_path / "a.mp4", frames=300, gop=30)
    for stay in stays:
        stay.source = str(source)
    writer.append(stays)
    writer.close()
    return tmp_path / "index"


def test_json_a_page_crops_and_clips(index, tmp_path, capsys):
    page, crops, clips = (tmp_path / name for name in ("a.html", "crops", "clips"))
    flags = ("--json", "--html", page, "--crops", crops, "--clips", clips)
    assert main([str(index), "red hoodie, blue jeans, zorb", *map(str, flags)]) == 0
    printed = capsys.readouterr()
    assert "hoodie is searched as longsleeve" in printed.err
    assert "not understood: zorb" in printed.err
    (found,) = json.loads(printed.out)
    assert (found["person"], found["spans"]) == (1, [[1.0, 3.0]])
    assert "red hoodie: longsleeve 80%" in page.read_text()
    assert len(list(crops.iterdir())) == 2
    (clip,) = clips.iterdir()
    assert 4.0 <= len(make.decoded(clip)[0]) / 30 <= 4.2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["zorb"], 2), ([], 2), (["hat", "--least", "2"], 2), (["--keep", "3d", "hat"], 2),
     (["green skirt"], 0), (["--compact", "--keep", "30d"], 0)],
)  # fmt: skip
def test_exit_status(index, arguments, status):
    assert main([str(index), *arguments]) == status


def test_no_index(tmp_path, capsys):
    assert main([str(tmp_path), "hat"]) == 8
    assert "is no index" in capsys.readouterr().err
