"""Profiles of networks: committed, of a run, or with random weights; comparisons of runs."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.pyplot as plt
from torch import nn

from preprocessing.errors import UsageError
from training.classification.evaluate import load_run
from training.classification.recipes import CLASSIFIERS
from training.classification.settings import CompareSettings, ProfileSettings
from training.common.checkpoints import load_model
from training.common.profiling import ENGINES, Profile, as_text, describe, profile
from training.common.reports import save_figure
from training.common.runs import read_index
from training.inference import weights
from training.inference.weights import Shape, WeightsInfo
from training.models.registry import MODELS

PHOTO_SIDE = 224  # pixels of a bare backbone's input


def profile_model(settings: ProfileSettings) -> str:
    """Measure a model, and write its figures where --json is given: the text to print.

    Raises:
        WeightsError, UsageError: there is no such model, or it has another size.
    """
    network, info = open_network(settings.model, settings.image_size)
    engines = ENGINES if settings.engine == "all" else (settings.engine,)
    found = profile(network, settings.model, info, engines=engines, threads=settings.threads)
    if settings.json:
        settings.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    return as_text(found)


def open_network(model: str, size: int | None = None) -> tuple[nn.Module, WeightsInfo]:
    """A committed model, a weight file, a run folder, or a network's name with random weights.

    Raises:
        WeightsError, UsageError: no such thing, or a size that its weights do not fit.
    """
    if model in MODELS and model not in weights.read_manifest():
        return _bare_network(model, size)
    if Path(model).is_dir():
        run = load_run(Path(model))
        recipe = run.config.settings.recipe
        network = run.network
        info = describe(recipe.network, recipe.shape(len(run.config.classes)))
    else:
        network, info = load_model(model)
    if size and size != info.size:
        raise UsageError(f"{model} takes {info.size} pixels, not {size}: name a bare network")
    return network, info


def _bare_network(name: str, size: int | None) -> tuple[nn.Module, WeightsInfo]:
    """A network with random weights; one without a recipe of its name is a backbone for photos."""
    recipe = CLASSIFIERS.get(name)
    shape = recipe.shape(10) if recipe else Shape(10, size=PHOTO_SIDE, channels=3)
    shape = replace(shape, size=size or shape.size)
    return MODELS[name](shape, dropout=0.0).eval(), describe(name, shape)


COLUMNS = (
    "run", "network", "size", "epochs", "minutes", "accuracy", "macro_f1", "parameters_m",
    "gmacs", "receptive_field", "effective_field", "ms_batch_1", "ms_batch_16", "images_per_second",
)  # fmt: skip


def compare(settings: CompareSettings) -> str:
    """Profile the runs of an index and write the comparison: the text to print.

    Raises:
        UsageError: there are no such runs.
    """
    runs = [
        run
        for run in read_index(settings.index)
        if run["accuracy"]  # those of classifiers alone
        and (not settings.data or run["data"] == settings.data)
        and (not settings.runs or Path(run["run"]) in settings.runs)
    ]
    if not runs:
        raise UsageError(f"no such runs in {settings.index}: training.fit enters them at its end")
    rows = []
    for run in runs:
        network, info = open_network(run["run"])
        found = profile(
            network, run["network"], info, engines=["openvino"], threads=settings.threads
        )
        rows.append(row_of(run, found))
    rows.sort(key=lambda row: float(row["macro_f1"]), reverse=True)
    text = write(settings.out, rows)
    return f"{text}\nwrote {settings.out}/compare.md, compare.csv, compare.png"


def row_of(run: dict[str, str], found: Profile) -> dict[str, str]:
    """A row of the index and a profile as one row of the comparison."""
    alone, batch = found.timings[0], found.timings[-1]
    return {name: run.get(name, "") for name in COLUMNS} | {
        "accuracy": f"{float(run['accuracy']):.4f}",
        "macro_f1": f"{float(run['macro_f1']):.4f}",
        "parameters_m": f"{found.parameters / 1e6:.2f}",
        "gmacs": f"{found.macs / 1e9:.3f}",
        "receptive_field": str(found.receptive_field),
        "effective_field": f"{found.effective_field:.0f}",
        "ms_batch_1": f"{alone.median:.2f}",
        "ms_batch_16": f"{batch.median:.2f}",
        "images_per_second": f"{batch.images_per_second:.0f}",
    }


def as_markdown(rows: Sequence[dict[str, str]]) -> str:
    """The comparison as a Markdown table, best macro-F1 first."""
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(row[name] for name in COLUMNS) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def plot(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Macro-F1 against multiply-accumulates and against measured time, a point a network."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
    titles = {"gmacs": "multiply-accumulates, 10^9", "ms_batch_1": "measured ms at batch 1"}
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for row in rows:
            x, y = float(row[column]), float(row["macro_f1"])
            axes.scatter(x, y, s=30 + 8 * float(row["parameters_m"]), alpha=0.7)
            axes.annotate(row["network"], (x, y), textcoords="offset points", xytext=(6, 4))
        axes.set_xscale("log")
        axes.margins(x=0.25)  # for the names of the rightmost points
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("macro-F1 (points as large as their parameters)")
    save_figure(figure, path)


def write(folder: Path, rows: Sequence[dict[str, str]]) -> str:
    """Write compare.md, compare.csv and compare.png: the text of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "compare.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    text = as_markdown(rows)
    (folder / "compare.md").write_text(text + "\n")
    plot(folder / "compare.png", rows)
    return text
