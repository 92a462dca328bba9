"""Run folders and the index of finished runs. Imports no torch.

A run folder holds config.json, metrics.csv, checkpoints and, at the end, the report; a finished run
is a row of index.csv beside its folder.
"""

import csv
import dataclasses
import json
import os
import subprocess
import time
import typing
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from preprocessing.errors import UsageError
from preprocessing.flags import Dataclass, Flag, flag_fields, read_fields
from training.common.settings import FitSettings

CONFIG = "config.json"
METRICS = "metrics.csv"
REPORT = "report.json"
DATA = "data"  # folder of the index of a run's photos
RUNS = Path("runs")
AUTO = "auto"

S = TypeVar("S", bound=FitSettings)


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """The flags that choose a run's folder."""

    out: Annotated[
        Path | None, Flag("run folder to write", metavar="DIR", default="runs/MODEL-DATE")
    ] = None
    resume: Annotated[
        str | None,
        Flag("continue this run from its last checkpoint; auto: the newest run of --model in runs/",
             metavar="RUN|auto"),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run folder to train into.

    Attributes:
        resumed: True if training continues from its last checkpoint.
        command, commit: the command that is running, and the commit of the code.
    """

    folder: Path
    resumed: bool
    command: str
    commit: str


@dataclass(frozen=True)
class RunConfig(Generic[S]):
    """The content of config.json: the settings of a run, its classes, and what began it."""

    settings: S
    classes: tuple[str, ...]
    command: str
    commit: str


def is_main_process() -> bool:
    """True in the one process of a run that writes files."""
    return int(os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or 0) == 0


def open_run(args: Namespace, *, checkpoint: str, command: str) -> Run:
    """A new run folder, or the one to resume, which holds its last checkpoint.

    Args:
        args: the flags of RunFlags, and --model.

    Raises:
        UsageError: there is nothing to resume, or the folder holds a run already.
    """
    flags, model = read_fields(RunFlags, args), getattr(args, "model", None)
    resumed = flags.resume is not None
    folder = resumed_folder(flags.resume, model) if flags.resume else flags.out
    there = folder is not None and (folder / checkpoint).is_file()
    if resumed and not there:
        raise UsageError(f"--resume {folder}: no {checkpoint} in it")
    if there and not resumed and is_main_process():
        raise UsageError(f"{folder} holds a run already: continue with --resume {folder}, or give "
                         "another --out")  # fmt: skip
    folder = folder or RUNS / f"{model}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Run(folder, resumed, command, commit())


def commit() -> str:
    """The commit of this code, "+" behind it when files differ from it; empty outside git."""
    describe = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=12",
                "--dirty=+", "--exclude=*"]  # fmt: skip
    try:
        done = subprocess.run(describe, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def new_run(folder: Path, *, command: str) -> Run:
    """A new run that is not trained.

    Raises:
        UsageError: the folder holds a run already.
    """
    if (folder / CONFIG).exists():
        raise UsageError(f"{folder} holds a run already: give another --out")
    return Run(folder, resumed=False, command=command, commit=commit())


def resumed_folder(resume: str, model: str | None) -> Path:
    """The run folder of --resume; for "auto", the run of a model in runs/ written last.

    Raises:
        UsageError: there is none.
    """
    if resume != AUTO:
        return Path(resume)
    configs = sorted(RUNS.glob(f"*/{CONFIG}"), key=lambda path: path.stat().st_mtime)
    fitting = [p for p in configs if model in (None, json.loads(p.read_text()).get("model"))]
    if not fitting:
        raise UsageError(f"--resume auto: no run of {model or 'any model'} in {RUNS}/")
    return fitting[-1].parent


def write_config(run: Run, settings: FitSettings, *, classes: Iterable[str]) -> None:
    """Write config.json of a new run; the folder is made where there is none."""
    run.folder.mkdir(parents=True, exist_ok=True)
    config = {
        "task": settings.task, **dataclasses.asdict(settings), "classes": list(classes),
        "command": run.command, "commit": run.commit,
    }  # fmt: skip
    text = json.dumps(config, indent=1, default=lambda path: str(path.resolve()))
    (run.folder / CONFIG).write_text(text + "\n")


def read_config(folder: Path, kind: type[S]) -> RunConfig[S]:
    """The config.json of a run folder.

    Raises:
        UsageError: it is no run folder, or one of another task or another version of this code.
    """
    values = read_raw_config(folder)
    version = f"{folder} was written by another version of this code"
    if values.get("commit"):
        version += f" (commit {values['commit']})"
    if values.pop("task", kind.task) != kind.task:
        raise UsageError(f"{folder} is not a run of the task {kind.task!r}")
    try:
        rest = {name: values.pop(name) for name in ("classes", "command", "commit")}
        settings = _decoded(kind, values)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{version}: {CONFIG} has other fields ({error}); use that version, or "
                         "train it again") from error  # fmt: skip
    return RunConfig(settings, tuple(rest["classes"]), rest["command"], rest["commit"])


def read_raw_config(folder: Path) -> dict[str, Any]:
    """The values of config.json as they are in the file.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    try:
        values = json.loads((folder / CONFIG).read_text())
    except OSError as error:
        raise UsageError(
            f"{folder} is not a run folder ({error}): name one that training.fit wrote"
        ) from error
    except ValueError as error:
        raise UsageError(f"{folder / CONFIG} is damaged ({error}): train it again") from error
    if not isinstance(values, dict):
        raise UsageError(f"{folder / CONFIG} is damaged (no table): train it again")
    return values


def _decoded(hint: Any, value: Any) -> Any:
    """A value of JSON as the type that a dataclass's field asks for.

    Raises:
        ValueError: a table lacks fields of a dataclass, or has others.
    """
    members = typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        names = {field.name for field in dataclasses.fields(hint)}
        if names != set(value):
            raise ValueError(", ".join(sorted(names ^ set(value))))
        return hint(**{name: _decoded(hints[name], value[name]) for name in names})
    if value is not None and (hint is Path or (Path in members and isinstance(value, str))):
        return Path(value)
    if typing.get_origin(hint) is tuple:
        kinds = [members[0]] * len(value) if members[-1] is Ellipsis else members
        return tuple(_decoded(kind, one) for kind, one in zip(kinds, value, strict=True))
    return value


def resumed_settings(run: Run, kind: type[S], args: Namespace) -> S:
    """The settings that a run began with.

    Raises:
        UsageError: a flag asks for other ones; see `read_config`.
    """
    settings = read_config(run.folder, kind).settings
    _refuse_changes(run.folder, settings, vars(args))
    return settings


def _refuse_changes(folder: Path, settings: Dataclass, given: Mapping[str, object]) -> None:
    for one in flag_fields(settings):
        if one.field not in given:
            continue
        asked, began = (_comparable(value) for value in (given[one.field], one.value))
        if asked != began:
            raise UsageError(f"--resume {folder} began with {one.name} {began}, not {asked}: leave "
                             "the flag out, or begin a new run")  # fmt: skip
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            _refuse_changes(folder, value, given)


def _comparable(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    return value.resolve() if isinstance(value, Path) else value


INDEX = "index.csv"
COLUMNS = (
    "run", "model", "network", "data", "classes", "size", "head", "pretrained", "frozen_epochs",
    "parameters", "epochs", "minutes", "validation_accuracy", "measured_on", "count", "accuracy",
    "balanced_accuracy", "macro_f1", "ece", "map50", "map50_95", "seed", "commit", "command",
)  # fmt: skip


def enter_index(run: Path, config: RunConfig, **figures: object) -> None:
    """Add or replace the row of a run; columns without a value stay empty.

    Args:
        figures: values of further columns, which replace those of the settings.
    """
    epochs = read_metrics(run / METRICS)
    values = {
        **asdict(config.settings.recipe),
        **asdict(config.settings),
        "classes": len(config.classes),
        "epochs": len(epochs),
        "minutes": minutes(epochs),
        "commit": config.commit,
        "command": config.command,
        **figures,
        "run": str(run),
    }
    path = run.parent / INDEX
    rows = [row for row in read_index(path) if row["run"] != str(run)]
    rows.append({name: str(values.get(name, "")) for name in COLUMNS})
    _write_index(path, rows)


def read_metrics(path: Path) -> list[dict[str, str]]:
    """The rows of a metrics.csv, one an epoch."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def minutes(epochs: Sequence[Mapping[str, str]]) -> float:
    """How long the epochs of a metrics.csv took together."""
    return round(sum(float(row["seconds"]) for row in epochs) / 60, 1)


def read_index(path: Path) -> list[dict[str, str]]:
    """The rows of an index; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write_index(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the index beside its file and rename it, so that no reader sees half of it."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


def append_row(path: Path, row: Mapping[str, object]) -> None:
    """Add a row to a CSV file, whose header is written with the first one."""
    new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
