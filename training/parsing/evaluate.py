"""Scores a parser on photos with masks: what `training.evaluate` does for parsers."""

from pathlib import Path

from preprocessing.errors import DataError, UsageError
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.data import parsed_people
from training.parsing.metrics import judge, write_json, write_report

SPLITS = {"training": "train", "validation": "val", "test": "test"}


def evaluate(
    model: str,
    data: Path | None,
    *,
    split: str | None,
    out: Path | None,
    json_file: Path | None,
) -> str:
    """Judge a parser as the app runs it, and write its report; the text of its table.

    Args:
        data: a folder of photos/, masks/ and labels.csv.
        split: training, validation or test (default), blocks of the photos' numbers.

    Raises:
        DataError, UsageError, WeightsError: nothing there, or it is broken.
    """
    stem, info = weights.locate(model)
    if data is None:
        raise UsageError(f"{info.name} is a parser: give --data DIR with photos/ and masks/")
    weights.verified(stem.with_suffix(".onnx"))
    split = split or "test"
    people = parsed_people(data)[SPLITS.get(split, split)]
    if not people:
        raise DataError(f"{data} has no photos for {split}: give --split validation")
    parse = openvino_parser(stem, info)
    judged = judge(parse, people)
    folder, title = out or Path("out") / f"evaluate-{info.name}", f"{info.name}, {split} of {data}"
    text = write_report(folder, judged, parse, people, title=title)
    if json_file:
        write_json(json_file, judged, title=title)
    return f"{text}\nwrote {folder}/report.md, report.json, parsed.png"
