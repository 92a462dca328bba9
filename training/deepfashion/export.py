"""Publishing of DeepFashion networks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from preprocessing.errors import UsageError
from training.common.publish import (
    base_info,
    compare_logits,
    count_parameters,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.runs import REPORT, read_config
from training.common.settings import ExportSettings
from training.deepfashion.network import load_network, load_run
from training.deepfashion.settings import FitSettings
from training.deepfashion.splits import open_splits
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

NOISE_IMAGES = 8  # on which the two files are compared


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the two files give different outputs.
    """
    config, figures = read_config(settings.run, FitSettings), settings.run / REPORT
    if not figures.is_file():
        raise UsageError(f"{settings.run} has no {REPORT}: let training.fit finish")
    outputs = open_splits(config.settings).outputs
    network = rounded(load_run(settings.run, config.settings.recipe, outputs))
    info = replace(
        base_info(config, network, network_input="photo"),
        attributes=outputs.parts,
        metrics={
            "parameters": count_parameters(network),
            "judged": json.loads(figures.read_text()),
        },
    )
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=True),
        check=check,
    )
    return f"wrote {settings.out / info.name}.safetensors, .onnx"


def check(stem: Path, info: WeightsInfo) -> None:
    """Compare the outputs of both files for noise.

    Raises:
        WeightsError: they differ by more than rounding.
    """
    shape = (NOISE_IMAGES, 3, info.size, info.size)
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with torch.inference_mode():
        from_tensors = load_network(stem, info)(torch.from_numpy(noise)).numpy()
    compare_logits(stem, OpenVinoNetwork(stem, precise=True)(noise), from_tensors)
