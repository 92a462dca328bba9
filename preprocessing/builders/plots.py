"""Bar plots of what a data set contains, as PNG files; never needs a display."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from preprocessing.datasets.attribute_table import Attribute

BLUE, GREY = "#0072b2", "#999999"


def plot_classes(path: Path, counts: Mapping[str, Sequence[int]], splits: Sequence[str]) -> None:
    """Write a stacked bar of pictures per class, `counts` in the order of `splits`."""
    figure, axes = plt.subplots(figsize=(8, 1 + 0.3 * len(counts)), layout="constrained")
    left = np.zeros(len(counts))
    for index, split in enumerate(splits):
        widths = np.array([row[index] for row in counts.values()])
        axes.barh(list(counts), widths, left=left, label=split)
        left += widths
    axes.invert_yaxis()
    axes.set_xlabel("pictures")
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_attributes(
    path: Path, attributes: Sequence[Attribute], counts: Sequence[np.ndarray], missing: np.ndarray
) -> None:
    """Write the bars of each attribute's classes, missing values in grey.

    Args:
        counts: rows of each class, by attribute.
        missing: rows without a value, by attribute (A,).
    """
    figure, panels = plt.subplots(1, len(counts), figsize=(1 + 4 * len(counts), 4),
                                  layout="constrained", squeeze=False)  # fmt: skip
    for axes, attribute, values, gaps in zip(panels[0], attributes, counts, missing, strict=True):
        colours = [BLUE] * len(values) + [GREY]
        bars = axes.bar([*attribute.titles, "missing"], [*values, gaps], color=colours)
        axes.bar_label(bars, fontsize=8)
        axes.set_title(attribute.name)
        axes.tick_params(axis="x", rotation=45)
    figure.savefig(path, dpi=100)
    plt.close(figure)
