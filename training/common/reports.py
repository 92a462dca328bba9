"""Charts of reports that all tasks have."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only: never needs a display

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def plot_curves(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Loss and accuracy of training and validation over the epochs of `runs.read_metrics`."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axes, quantity, title in zip(panels, ("loss", "acc"), ("loss", "accuracy"), strict=True):
        for part, label in (("train", "training"), ("val", "validation")):
            key = f"{part}_{quantity}"
            points = [(int(r["epoch"]) + 1, float(r[key])) for r in rows if r.get(key)]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=label)
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend()
    panels[0].set_yscale("log")
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and close it."""
    figure.savefig(path, dpi=110)
    plt.close(figure)
