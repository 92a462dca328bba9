"""Scores a DeepFashion network: what `training.evaluate` does for such models."""

import json
from pathlib import Path

import numpy as np

from preprocessing.datasets.deepfashion_benchmark import read_benchmark
from preprocessing.errors import DataError, UsageError
from training.deepfashion.data import FashionPart
from training.deepfashion.fit import answers_of, habit_of, load_network
from training.deepfashion.metrics import as_markdown
from training.deepfashion.module import judged
from training.deepfashion.outputs import Outputs
from training.inference import weights


def evaluate(model: str, data: Path | None, *, split: str | None, out: Path | None) -> str:
    """Judge a network on a part (default test) of the lists in `data`; the text of its report.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(model)
    if data is None:
        raise UsageError(f"{info.name} is a DeepFashion model: give --data DIR with its lists")
    weights.verified(stem.with_suffix(".safetensors"))
    benchmark = read_benchmark(data)
    outputs = Outputs.of(benchmark)
    if outputs.parts != info.attributes:
        raise UsageError(f"{data} has other categories or attributes than {info.name} knows")
    there = np.array([path.is_file() for path in benchmark.paths])
    splits, split = np.array(benchmark.splits), split or "test"
    rows = {name: np.flatnonzero(there & (splits == name)) for name in ("training", split)}
    if not len(rows[split]):
        raise DataError(f"{data}: no pictures of the {split} part are there, give --split")
    part = FashionPart(benchmark, rows[split], info.size)
    habit = habit_of(FashionPart(benchmark, rows["training"], info.size))
    found = judged(answers_of(load_network(stem, info), part), outputs, habit=habit)
    folder = out or Path("out") / f"evaluate-{info.name}"
    folder.mkdir(parents=True, exist_ok=True)
    text = as_markdown(found, f"{info.name} on the {split} part of {data}")
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(found.summary(), indent=1) + "\n")
    return f"{text}\nwrote {folder}/report.md, report.json"
