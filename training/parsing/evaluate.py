"""Evaluation of parsers, as the app runs them, on photos with masks."""

from preprocessing.errors import DataError
from training.inference import weights
from training.inference.parser import openvino_parser
from training.parsing.data import masked_photos
from training.parsing.metrics import score_parser
from training.parsing.report import write_json, write_report
from training.parsing.settings import ParserEvaluateSettings


def evaluate(settings: ParserEvaluateSettings) -> str:
    """Evaluate a parser on a split, write report.md, report.json and parsed.png, and return the
    text to print.

    Raises:
        DataError, WeightsError: nothing there, or it is broken.
    """
    stem, info = weights.locate(settings.model)
    weights.verified(stem.with_suffix(".onnx"))
    photos = masked_photos(settings.data)[settings.split]
    if not photos:
        raise DataError(f"{settings.data} has no photos of the {settings.split} split: give "
                        "another --split")  # fmt: skip
    parse = openvino_parser(stem, info)
    scores = score_parser(parse, photos, postprocessing=parse.postprocessing)
    folder, title = settings.folder(info.name), f"{info.name}, {settings.split} of {settings.data}"
    text = write_report(folder, scores, parse, photos, title=title)
    if settings.json:
        write_json(settings.json, scores, title=title)
    return f"{text}\nwrote {folder}/report.md, report.json, parsed.png"
