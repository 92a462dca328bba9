"""The folder for compiled networks: where it is, how large it becomes, runs without one."""

import os

import pytest

from realtime.runtime import cache


@pytest.fixture(autouse=True)
def fresh():
    cache.cache_folder.cache_clear()
    yield
    cache.cache_folder.cache_clear()


def test_it_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == str(tmp_path / "garments")
    assert os.listdir(tmp_path / "garments") == []


@pytest.mark.parametrize(
    "environment",
    [
        {"XDG_CACHE_HOME": "", "HOME": "/dev/null"},
        {"XDG_CACHE_HOME": "/proc/none"},
        {"XDG_CACHE_HOME": "here", "HOME": "/dev/null"},
    ],
)
def test_without_a_folder_nothing_is_kept(monkeypatch, tmp_path, environment):
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache.cache_folder() == ""
    assert os.listdir(tmp_path) == []


def test_what_was_not_used_for_longest_is_removed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "MOST", 35)
    monkeypatch.setattr(cache, "LEAST", 20)
    folder = tmp_path / "garments"
    folder.mkdir()
    for age in range(4):
        (folder / f"{age}.blob").write_bytes(bytes(10))
        os.utime(folder / f"{age}.blob", (1000 - age, 1000 - age))
    cache.cache_folder()
    assert sorted(os.listdir(folder)) == ["0.blob", "1.blob"]
