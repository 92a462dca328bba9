"""Publishing of models of attributes."""

import json
from dataclasses import replace

from preprocessing.errors import UsageError
from training.attributes.networks import load_run
from training.common.publish import (
    base_info,
    check_logits,
    count_parameters,
    first_images,
    publish,
    rounded,
    write_logits_onnx,
)
from training.common.runs import REPORT
from training.common.settings import ExportSettings


def export(settings: ExportSettings) -> str:
    """Publish the best network of a run, and return the text to print.

    Raises:
        UsageError: no such run, or it has not been evaluated.
        WeightsError: the two files give different logits.
    """
    run, figures = load_run(settings.run), settings.run / REPORT
    if not figures.is_file():
        raise UsageError(f"{settings.run} has no {REPORT}: let training.fit finish")
    network = rounded(run.network)
    info = replace(
        base_info(run.config, network, network_input="photo"),
        head=run.config.settings.recipe.head,
        attributes=run.splits.attributes,
        metrics={
            "parameters": count_parameters(network),
            "validation": json.loads(figures.read_text()),
        },
    )
    images = first_images(run.splits.validation.loader())
    publish(
        info,
        network,
        settings.out,
        write_onnx=lambda path: write_logits_onnx(path, network, info, half=True),
        check=lambda stem, published: check_logits(stem, published, images),
    )
    return f"wrote {settings.out / info.name}.safetensors, .onnx"
