"""The work on a unit, and the workers of Ray."""

import errno
import os
import sys

import make
import pytest

from preprocessing.errors import DeviceError, UsageError
from realtime.batch import workers
from realtime.batch.provenance import settings_of, weights_of
from realtime.batch.units import units_of
from realtime.batch.workers import Ending, RayWorkers, Task, in_turn, work
from realtime.settings import Recognition

LIGHT = Recognition(model="deep", locator="none")
TASK = Task(recognition=LIGHT, rows_only=True)


def some_units(folder, video):
    settings, weights = settings_of(LIGHT, rows_only=True), weights_of(LIGHT)
    return units_of(str(video), folder / "units", 10, settings=settings, weights=weights)


def test_a_source_that_changes_meanwhile_gives_no_results(tmp_path):
    video = make.clip(tmp_path / "a.mp4", frames=10)
    (unit,) = some_units(tmp_path, video)
    os.utime(video)
    ending = work(unit, TASK)
    assert ending.status == 4 and "changed while it was read" in ending.error
    assert list((tmp_path / "units").iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_video(tmp_path, monkeypatch):
    first, second = some_units(tmp_path, make.clip(tmp_path / "a.mp4", frames=20))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(workers, "write_record", full)
    assert [one.status for _, one in in_turn([first, second], TASK)] == [5, 5]
    assert "No space left" in work(first, TASK).error and first.outdated == "new"
    assert list((tmp_path / "units").iterdir()) == []


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="pip install ray"):
        list(RayWorkers()([], TASK))


def test_what_ray_cannot_do_is_one_line(monkeypatch):
    ray = pytest.importorskip("ray", reason="ray is not installed")

    def fails(**_):
        raise ConnectionError("no cluster\nand much more")

    monkeypatch.setattr(ray, "init", fails)
    with pytest.raises(DeviceError, match=r"^Ray does not run \(no cluster\)"):
        list(RayWorkers(cluster="auto")([], TASK))


def test_an_unexpected_error_of_a_worker_is_one_line(monkeypatch):
    ray = pytest.importorskip("ray", reason="ray is not installed")

    def raises(_):
        raise ray.exceptions.RayTaskError("work", "Traceback\n", ValueError("first\nlast"))

    monkeypatch.setattr(ray, "get", raises)
    assert workers._ending(None) == Ending(4, "ValueError: last")
