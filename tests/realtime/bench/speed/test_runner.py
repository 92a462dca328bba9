"""Rounds of trials, with processes that are stand-ins."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from bench_results import MACHINE

from realtime.bench.speed import runner as runner_module
from realtime.bench.speed.line_up import PEER, Program
from realtime.bench.speed.measure import ROOT, ProcessRun
from realtime.bench.speed.plan import START, GroupPlan, Trial
from realtime.bench.speed.results import Key, Results
from realtime.bench.speed.runner import Runner, StreamCounts, shown, stream_counts, streams_command
from realtime.bench.speed.scenes import Scene, SceneMaker


def trial(name: str, group: str = "programs", x: int = 0, **given) -> Trial:
    program = Program(name, lambda clip, out: [name, str(clip), str(out)], PEER)
    return Trial(Key(group, name, x), program, Scene(10), **given)


@pytest.fixture
def commands(monkeypatch):
    """The commands that are run; those of "bad" fail."""
    found = []

    def measured(command, folder, *, limit):
        found.append(list(command))
        if "bad" in command:
            raise subprocess.CalledProcessError(3, command, stderr=b"first\nno such thing\n")
        return ProcessRun(2.0, 100, 5000, 3.0)

    monkeypatch.setattr(runner_module, "measured", measured)
    monkeypatch.setattr(SceneMaker, "write", lambda self, scene: Path("clip.mp4"))
    return found


def runner(tmp_path, results, until=math.inf) -> Runner:
    scenes = SceneMaker(tmp_path, None, None)
    return Runner(tmp_path, scenes, results, lambda: None, lambda line: None, until)


def test_a_round_is_run_once_and_failures_stay_out(tmp_path, commands):
    results = Results(MACHINE, 10)
    planned = GroupPlan((trial("a"), trial("bad"), trial("b")))
    runner(tmp_path, results).round("programs", planned, 0)
    assert [run.key.series for run in results.runs] == ["a", "b"]
    assert results.skips[0].reason == "it failed with status 3: no such thing"
    runner(tmp_path, results).round("programs", planned, 0)
    runner(tmp_path, results).round("programs", planned, 1)
    assert [command[0] for command in commands] == ["a", "bad", "b", "b", "a"]
    one = results.runs[0]
    assert (one.seconds, one.cpu, one.memory, one.size, one.frames) == (2.0, 3.0, 100, 5000, 10)
    assert one.command == "a clip.mp4 out/out.mp4"


def test_a_start_has_a_run_before_it_that_is_not_counted(tmp_path, commands):
    results = Results(MACHINE, 10)
    running = runner(tmp_path, results)
    for number in range(2):
        running.round("programs", GroupPlan((trial("a", START),)), number)
    assert len(commands) == 3 and len(results.runs) == 2


def test_nothing_starts_once_the_time_is_over(tmp_path, commands):
    runner(tmp_path, Results(MACHINE, 10), until=0).round("a", GroupPlan((trial("a"),)), 0)
    assert commands == []


def test_streams_have_files_of_their_own(tmp_path):
    several = streams_command(trial("default", "streams", 2, streams=2), Path("c"), tmp_path)
    assert several[2:6] == [
        "--video", "fake://15fps?for=0.4s&clip=c&name=0", "fake://15fps?for=0.4s&clip=c&name=1",
        "-o",
    ]  # fmt: skip
    assert several[6:9] == [str(tmp_path), "--stats", str(tmp_path / "stats")]
    one = streams_command(trial("default", "streams", 1, streams=1), Path("c"), tmp_path)
    assert one[5] == str(tmp_path / "out.mp4")


def test_streams_are_timed_from_their_first_frame(tmp_path, monkeypatch):
    report = {"seconds": 12.0, "first_frame_seconds": 2.0, "stages_ms": {},
              "frames": {"written": 20, "dropped": 0}}  # fmt: skip

    def measured(command, folder, *, limit):
        for name in ("a", "b"):
            (folder / "stats" / f"{name}.json").write_text(json.dumps(report))
        return ProcessRun(15.0, 100, 5000, 3.0)

    monkeypatch.setattr(runner_module, "measured", measured)
    monkeypatch.setattr(SceneMaker, "write", lambda self, scene: Path("clip.mp4"))
    results = Results(MACHINE, 10)
    planned = GroupPlan((trial("default", "streams", 2, streams=2),))
    runner(tmp_path, results).round("streams", planned, 0)
    assert (results.runs[0].frames, results.runs[0].seconds) == (40, 10.0)


def test_counts_of_streams_are_sums():
    report = {"frames": {"written": 100, "dropped": 50}, "stages_ms": {"locate": {"count": 30}},
              "label_age_ms": {"p95": 80.0}, "latency_ms": {"p95": 9.0}}  # fmt: skip
    empty = {"frames": {"written": 1, "dropped": 0}, "stages_ms": {}, "label_age_ms": {}}
    assert stream_counts([report, report, empty]) == StreamCounts(201, 60, 100, 80.0)
    own = {**empty, "latency_ms": {"p95": 9.0}}  # every frame waits for its labels
    assert stream_counts([own]).age == 9.0


def test_commands_are_shown_without_this_machine_s_folders():
    command = [sys.executable, "-c", "import a\nb", "/x/clip.mp4", f"{ROOT}/run_realtime.py"]
    assert shown(command, Path("/x")) == "python -c SCRIPT clip.mp4 run_realtime.py"
