"""The whole bench, with rounds that are stand-ins."""

from dataclasses import replace

import pytest
from bench_results import MACHINE

from preprocessing.errors import UsageError
from realtime.bench.settings import BenchSettings
from realtime.bench.speed import side_by_side as bench
from realtime.bench.speed.plan import GROUPS, GroupPlan
from realtime.bench.speed.results import read, write
from realtime.bench.speed.runner import Runner


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "this_machine", lambda: MACHINE)
    monkeypatch.setattr(bench, "plan", lambda *args, **kwargs: GroupPlan(()))
    return BenchSettings(frames=100, rounds=2, json=tmp_path / "a.json", html=tmp_path / "a.html")


def test_rounds_of_all_groups_take_turns(settings, tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(Runner, "round", lambda self, *args: order.append((args[2], args[0])))
    bench.side_by_side(tmp_path, settings, lambda line: None)
    assert order == [(number, group) for number in range(2) for group in GROUPS]
    assert "Not measured." in settings.html.read_text()


def test_a_run_that_is_cut_off_leaves_its_page(settings, tmp_path, monkeypatch, results):
    def cut_off(self, *args):
        self.results.runs += results.runs
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "round", cut_off)
    with pytest.raises(KeyboardInterrupt):
        bench.side_by_side(tmp_path, settings, lambda line: None)
    assert read(settings.json).runs == results.runs and "<svg" in settings.html.read_text()


def test_no_minutes_give_the_page_of_earlier_figures(settings, tmp_path, results):
    with pytest.raises(UsageError, match="give their --json FILE"):
        bench.side_by_side(tmp_path, replace(settings, minutes=0, json=None), print)
    write(settings.json, results)
    assert bench.side_by_side(tmp_path, replace(settings, minutes=0), print).runs == results.runs
    assert "<svg" in settings.html.read_text()


def test_settings_that_make_no_sense(settings, tmp_path):
    with pytest.raises(UsageError, match="unknown nothing"):
        bench.side_by_side(tmp_path, replace(settings, groups=("nothing",)), print)
    with pytest.raises(UsageError, match="above 2"):
        bench.side_by_side(tmp_path, replace(settings, frames=2), print)
