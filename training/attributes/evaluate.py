"""Scores a model of attributes on a table: what `training.evaluate` does for such models."""

from pathlib import Path

import torch

from preprocessing.datasets.attribute_table import read_table
from preprocessing.datasets.imputation import modes
from preprocessing.datasets.samples import Sample
from preprocessing.errors import DataError, UsageError
from training.attributes.data import TablePart
from training.attributes.fit import answers_of, judged_table, write_figures
from training.common.checkpoints import load_network
from training.inference import weights


def evaluate(
    model: str,
    table: Path | None,
    images: Path | None,
    *,
    label_map: Path | None,
    catch_all: str | None,
    out: Path | None,
) -> str:
    """Judge a model on all pictures of a table that are there; the text of its report.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(model)
    if not table or not images:
        raise UsageError(f"{info.name} knows attributes: give --table CSV and --images DIR")
    weights.verified(stem.with_suffix(".safetensors"))
    read = read_table(table, label_map=label_map).merged()
    read = read.take([row for row, name in enumerate(read.names) if (images / name).is_file()])
    if not len(read):
        raise DataError(f"none of the table's pictures is in {images}")
    values = judged_table(read, info.attributes)
    samples = [Sample(images / name, "") for name in read.names]
    part = TablePart(samples, (), info.size, rows=torch.from_numpy(values))
    folder = out or Path("out") / f"evaluate-{info.name}"
    text = write_figures(
        folder, answers_of(load_network(stem, info), part), info.attributes,
        modes=modes(values), catch_all=catch_all or "", title=f"{info.name} on {table}",
    )  # fmt: skip
    return f"{text}\nwrote {folder}/report.md, report.json"
