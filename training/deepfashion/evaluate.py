"""Evaluation of DeepFashion networks on a split of the benchmark: report.md and report.json."""

from preprocessing.datasets.deepfashion_benchmark import read_benchmark
from preprocessing.errors import DataError, UsageError
from training.deepfashion.baseline import fit_baseline
from training.deepfashion.data import FashionSubset
from training.deepfashion.metrics import score_batches
from training.deepfashion.module import predictions
from training.deepfashion.network import load_network
from training.deepfashion.outputs import Outputs
from training.deepfashion.report import write_report
from training.deepfashion.settings import FashionEvaluateSettings
from training.deepfashion.splits import split_rows
from training.inference import weights


def evaluate(settings: FashionEvaluateSettings) -> str:
    """Evaluate a network on an official split, and return the text to print.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it does not fit the model.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".safetensors"))
    benchmark, data, split = read_benchmark(settings.data), settings.data, settings.split
    outputs = Outputs.of(benchmark)
    if outputs.parts != info.attributes:
        raise UsageError(f"{data} has other categories or attributes than {info.name}")
    training, chosen = (
        FashionSubset(benchmark, split_rows(benchmark, name), info.size)
        for name in ("training", split)
    )
    if not len(chosen):
        raise DataError(f"{data} has no pictures of the {split} split: give another --split")
    batches = predictions(load_network(stem, info), chosen)
    scores = score_batches(batches, outputs, baseline=fit_baseline(training))
    folder = settings.folder(info.name)
    text = write_report(folder, scores, title=f"{info.name} on the {split} split of {data}")
    return f"{text}\nwrote {folder}/report.md, report.json"
