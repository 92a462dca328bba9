"""Publishing of parsers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from preprocessing.images.class_maps import CLASSES
from training.common.checkpoints import load_best
from training.common.publish import (
    base_info,
    compare_outputs,
    count_parameters,
    publish,
    rounded,
    write_onnx,
)
from training.common.runs import read_config
from training.common.settings import ExportSettings
from training.inference.parser import openvino_parser
from training.inference.weights import STRIDE, WeightsInfo
from training.parsing.data import masked_photos
from training.parsing.metrics import score_parser
from training.parsing.network import Parser, SoftmaxParser
from training.parsing.report import write_report
from training.parsing.settings import FitSettings

MAX_DIFFERENCE = 0.02  # of a probability, between the two files


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has no whole checkpoint.
        WeightsError: the two files give different probabilities.
    """
    info, text = publish_run(settings.run, settings.out)
    return f"{text}\nwrote {settings.out / info.name}.safetensors, .onnx"


def publish_run(run: Path, folder: Path) -> tuple[WeightsInfo, str]:
    """Publish the best network of a run into a folder, evaluated on the run's validation photos.

    The report is written into the run's folder; returned are the metadata and the report's table.

    Raises:
        DataError, UsageError, WeightsError: see `export`.
    """
    config, texts = read_config(run, FitSettings), []
    recipe, data = config.settings.recipe, config.settings.data
    network = rounded(load_best(run, Parser(len(CLASSES), recipe.size)))
    info = replace(base_info(config, network, network_input="frame"), size=recipe.photo_size)

    def measure(stem: Path) -> WeightsInfo:
        parse, photos = openvino_parser(stem, info), masked_photos(data)["validation"]
        scores = score_parser(parse, photos, postprocessing=parse.postprocessing)
        title = f"{info.name} on the validation photos of {data}"
        texts.append(write_report(run, scores, parse, photos, title=title))
        parameters = count_parameters(network)
        return replace(info, metrics={"parameters": parameters, "validation": scores.summary()})

    published = publish(
        info,
        network,
        folder,
        write_onnx=lambda path: write_parser_onnx(path, network),
        check=lambda stem, described: check(stem, network, described),
        measure=measure,
    )
    return published, texts[0]


def write_parser_onnx(path: Path, network: Parser) -> None:
    """Write the .onnx file, in half precision.

    Inputs are BGR bytes (1, 3, H, W), outputs probabilities (1, classes, H / 4, W / 4).
    """
    side = 2 * STRIDE
    example = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    blocks = {axis: STRIDE * torch.export.Dim(name, min=2)
              for axis, name in ((2, "rows"), (3, "columns"))}  # fmt: skip
    write_onnx(
        path, SoftmaxParser(network), example, half=True, dynamic=blocks, output="probabilities"
    )


def check(stem: Path, network: Parser, info: WeightsInfo) -> None:
    """Compare the probabilities of the .onnx file and of the network for noise.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    noise = np.random.default_rng(0).integers(0, 256, (info.size, info.size, 3), np.uint8)
    from_onnx = openvino_parser(stem, info, precise=True)(noise)
    with torch.inference_mode():
        planes = torch.from_numpy(noise.transpose(2, 0, 1)[None].copy())
        from_network = SoftmaxParser(network)(planes)[0].numpy()
    compare_outputs(stem, from_onnx, from_network, limit=MAX_DIFFERENCE, unit="of a probability")
