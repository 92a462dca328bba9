"""Settings of a camera in a file: flags by their names, which win over it."""

import pytest

from preprocessing.errors import UsageError
from realtime.flags import read_settings

TEXT = """
source = "clip.mp4"
colour = true
pose = false
events = "events.jsonl"
rule = ["zone floor without hat"]
event_seconds = [2, 3]
only = ["dress", "hat"]
[zone]
floor = [0, 0, 0.5, 1]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "camera.toml"
    path.write_text(TEXT)
    return path


def test_settings_of_a_file(config):
    found = read_settings(["--config", str(config)])
    assert found.source.addresses == ("clip.mp4",)
    assert found.recognition.colour and found.recognition.pose is False
    assert found.recognition.only == ("dress", "hat")
    assert found.zones.areas[0].points == ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
    assert found.zones.rules[0].kinds == ("hat",)
    assert found.outputs.events.event_seconds == (2, 3)
    assert found.outputs.paths["events"].name == "events.jsonl"


def test_flags_win(config):
    argv = ["--config", str(config), "b.mp4", "--zone", "floor=0,0,1,1", "--pose", "--events", "e"]
    found = read_settings(argv)
    assert found.source.addresses == ("b.mp4",) and found.recognition.pose
    assert [area.points[2] for area in found.zones.areas] == [(1, 1)]
    assert found.outputs.paths["events"].name == "e"


@pytest.mark.parametrize(
    ("text", "words"),
    [("zones = 1", "no setting zones"), ("a = ", "cannot read"), ("model = true", "no switch")],
)
def test_files_that_are_wrong(tmp_path, text, words):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_settings(["--config", str(tmp_path / "a.toml")])


def test_no_such_file(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_settings(["--config", str(tmp_path / "none.toml")])
