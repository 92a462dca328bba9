"""Run folders: written, read back, resumed, refused."""

import json
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from preprocessing.errors import UsageError
from preprocessing.flags import Flag
from training.common.runs import (
    CONFIG,
    Run,
    open_run,
    read_config,
    resumed_folder,
    resumed_settings,
    write_config,
)
from training.common.settings import LightningFitSettings, LightningRecipe


@dataclass(frozen=True, kw_only=True)
class Recipe(LightningRecipe):
    smaller: tuple[tuple[int, float], ...] = ((256, 0.5),)


@dataclass(frozen=True, kw_only=True)
class Settings(LightningFitSettings):
    task = "test"

    recipe: Recipe
    data: Annotated[Path, Flag("data")]
    boxed: Annotated[tuple[Path, ...], Flag("folders", nargs="+")] = ()
    limit: int | None = None


RECIPE = Recipe(network="n", epochs=3, batch_size=4, lr=0.1, size=28, schedule="cosine")
SETTINGS = Settings(
    model="m", recipe=RECIPE, data=Path("/data"), boxed=(Path("/a"), Path("/b")), seed=5
)


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "run", resumed=False, command="fit", commit="abc")
    write_config(run, SETTINGS, classes=("x", "y"))
    return Run(run.folder, resumed=True, command="fit again", commit="def")


def change(run, edit):
    path = run.folder / CONFIG
    values = json.loads(path.read_text())
    edit(values)
    path.write_text(json.dumps(values))


def test_what_is_written_is_read(run):
    config = read_config(run.folder, Settings)
    assert config.settings == SETTINGS
    assert (config.classes, config.command, config.commit) == (("x", "y"), "fit", "abc")


@pytest.mark.parametrize(
    "edit",
    [
        lambda values: values["recipe"].pop("clip"),
        lambda values: values["recipe"].update(hung=0.1),
        lambda values: values.pop("data"),
        lambda values: values.pop("classes"),
    ],
)
def test_another_version_s_run_is_called_that(run, edit):
    change(run, edit)
    with pytest.raises(UsageError, match=r"another version of this code \(commit abc\)"):
        read_config(run.folder, Settings)


def test_what_is_no_run(run, tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        read_config(tmp_path, Settings)
    change(run, lambda values: values.update(task="parse"))
    with pytest.raises(UsageError, match="not a run of the task"):
        read_config(run.folder, Settings)
    (run.folder / CONFIG).write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        read_config(run.folder, Settings)


def test_resuming_repeats_the_settings_and_refuses_others(run):
    same = Namespace(data=Path("/data"), epochs=3, boxed=[Path("/a"), Path("/b")])
    assert resumed_settings(run, Settings, same) == SETTINGS
    with pytest.raises(UsageError, match="began with --epochs 3, not 4"):
        resumed_settings(run, Settings, Namespace(epochs=4))


def test_a_folder_is_opened_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {"checkpoint": "last.ckpt", "command": "fit"}
    assert open_run(Namespace(model="m"), **known).folder.parent == Path("runs")
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(UsageError, match="holds a run already"):
        open_run(Namespace(out=tmp_path), **known)
    assert open_run(Namespace(resume=str(tmp_path)), **known).resumed
    with pytest.raises(UsageError, match=r"no last\.ckpt in it"):
        open_run(Namespace(resume="absent"), **known)
    with pytest.raises(UsageError, match="no run of m"):
        resumed_folder("auto", "m")
