"""Plans of every group."""

from collections import Counter
from pathlib import Path

import pytest

from realtime.bench.speed import line_up, plan
from realtime.bench.speed.line_up import APP, Absent, Detectors, Program
from realtime.bench.speed.plan import GROUPS, PEOPLE, SIZES, cameras, in_order, on_cores
from realtime.bench.speed.scenes import SceneMaker


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Plans a group without exporting anything: of the other programs, ONNX fails."""

    def program(self, name):
        if "ONNX" in name:
            return Absent(name, "it failed")
        return Program(name, lambda clip, out: [name, str(clip), str(out)], line_up.PEER)

    monkeypatch.setattr(Detectors, "program", program)
    monkeypatch.setattr(line_up, "devices_of", lambda one: [] if one == "torch" else ["cpu"])
    monkeypatch.setattr(plan, "cores", lambda: 2)
    monkeypatch.setattr(plan.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(SceneMaker, "composes", True)
    scenes = SceneMaker(tmp_path, None, None)
    return lambda group: plan.plan(group, 240, detectors=Detectors(tmp_path), scenes=scenes)


def test_every_group_has_a_plan_of_distinct_places(planned):
    for group in GROUPS:
        keys = [trial.key for trial in planned(group).trials]
        assert keys and len(keys) == len(set(keys))
        assert {key.group for key in keys} <= {group, plan.START}


def test_programs_are_the_app_on_every_engine_peers_and_limits(planned):
    found = planned("programs")
    measured = [trial for trial in found.trials if trial.key.group == "programs"]
    kinds = Counter(trial.program.kind for trial in measured)
    assert kinds == {APP: 3 * 2, line_up.PEER: 4, line_up.LIMIT: 3}
    absent = {one.name for one in found.absent}
    assert {"default, torch", "yolo predict, ONNX", "MMDetection loop"} <= absent
    assert {trial.scene.frames for trial in measured} == {240}
    command = measured[0].program.command(Path("a.mp4"), Path("b.mp4"))
    assert command[2:] == [
        "--video", "a.mp4", "-o", "b.mp4", "--engine", "openvino", "--device", "cpu"
    ]  # fmt: skip


def test_curves_have_every_position(planned):
    for group, positions in {
        "sizes": list(SIZES), "people": list(PEOPLE), "cores": [1, 2], "streams": [1, 2, 4, 8],
    }.items():  # fmt: skip
        trials = [trial for trial in planned(group).trials if trial.key.group == group]
        assert sorted({trial.key.x for trial in trials}) == positions
    assert planned("sizes").trials[-1].scene.size == (3840, 2160)


def test_groups_that_lack_something_say_so(planned, monkeypatch):
    monkeypatch.setattr(SceneMaker, "composes", False)
    assert "--data DIR" in planned("people").absent[0].reason and not planned("people").trials
    monkeypatch.setattr(plan.shutil, "which", lambda name: None)
    assert "taskset" in planned("cores").absent[0].reason and not planned("cores").trials


def test_rounds_go_forwards_and_backwards(planned):
    trials = planned("sizes").trials
    assert tuple(in_order(trials, 0)) == trials and tuple(in_order(trials, 1)) == trials[::-1]


def test_cores_and_cameras_are_in_the_command():
    assert on_cores(["a"], 1, [3, 2]) == ["taskset", "-c", "2", "a"]
    assert on_cores(["a"], 0, [3, 2]) == ["a"]
    assert cameras(Path("c.mp4"), 2, 9.6) == [
        "fake://15fps?for=9.6s&clip=c.mp4&name=0", "fake://15fps?for=9.6s&clip=c.mp4&name=1"
    ]  # fmt: skip
