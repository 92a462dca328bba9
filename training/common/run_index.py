"""The index of finished runs: a row of index.csv beside their folders."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from training.common.reports import read_metrics
from training.common.run_folder import METRICS, RunConfig

INDEX = "index.csv"
COLUMNS = (
    "run", "model", "network", "data", "classes", "size", "head", "pretrained", "frozen_epochs",
    "parameters", "epochs", "minutes", "validation_accuracy", "measured_on", "count", "accuracy",
    "balanced_accuracy", "macro_f1", "ece", "map50", "map50_95", "seed", "commit", "command",
)  # fmt: skip


def enter(run: Path, config: RunConfig, **figures: object) -> None:
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
    rows = [row for row in read(path) if row["run"] != str(run)]
    rows.append({name: str(values.get(name, "")) for name in COLUMNS})
    _write(path, rows)


def minutes(epochs: Sequence[Mapping[str, str]]) -> float:
    """How long the epochs of a metrics.csv took together."""
    return round(sum(float(row["seconds"]) for row in epochs) / 60, 1)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of an index; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
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
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
