"""The register of finished runs: a row of index.csv beside their folders; rows of other tables."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.common.checkpoints import load_run
from training.common.data_parts import CUT

INDEX = "index.csv"
COLUMNS = (
    "run", "model", "network", "data", "classes", "size", "head", "pretrained", "frozen_epochs",
    "parameters", "epochs", "minutes", "validation_accuracy", "measured_on", "count", "accuracy",
    "balanced_accuracy", "macro_f1", "ece", "map50", "map50_95", "seed", "commit", "command",
)  # fmt: skip


def enter(run: Path, epochs: Sequence[dict[str, str]]) -> None:
    """Add or replace the row of a classifier's run, given the rows of its metrics.csv."""
    network, recipe, config = load_run(run)
    figures = json.loads((run / "report.json").read_text())
    validated = [float(row["val_acc"]) for row in epochs if row.get("val_acc")]
    known = {
        **figures,
        "data": "Fashion-MNIST" if CUT[recipe.channels] == "fashion-mnist" else "photos",
        "parameters": sum(p.numel() for p in network.parameters()),
        "validation_accuracy": max(validated, default=""),
    }
    put(run, config, epochs, **known)


def minutes(epochs: Sequence[Mapping[str, str]]) -> float:
    """How long the epochs of a metrics.csv took together."""
    return round(sum(float(row["seconds"]) for row in epochs) / 60, 1)


def put(run: Path, config: Mapping, epochs: Sequence[Mapping[str, str]], **figures: object) -> None:
    """Add or replace a run's row; columns that nothing is known of stay empty.

    Args:
        config: the run's own, recipe and all; epochs: the rows of its metrics.csv.
        figures: further columns, which go before those of the config.
    """
    known = {
        **config["recipe"],
        **config,
        "classes": len(config["classes"]),
        "epochs": len(epochs),
        "minutes": minutes(epochs),
        **figures,
        "run": str(run),
    }
    path = run.parent / INDEX
    rows = [row for row in read(path) if row["run"] != str(run)]
    rows.append({name: known.get(name, "") for name in COLUMNS})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def append(path: Path, row: Mapping[str, object]) -> None:
    """Add a row to a CSV file, which begins with its names."""
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a register; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
