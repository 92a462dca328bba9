"""Profiles of the networks of MODELS: committed, of a run, or with random weights."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from torch import nn

from preprocessing.errors import UsageError
from training.classification.networks import load_run
from training.classification.recipes import CLASSIFIERS
from training.classification.settings import ProfileSettings
from training.common.checkpoints import load_network
from training.common.profiling import ENGINES, as_text, profile
from training.inference import weights
from training.inference.weights import Shape, WeightsInfo
from training.models.registry import MODELS

PHOTO_SIDE = 224  # pixels of a bare backbone's input


def profile_model(settings: ProfileSettings) -> str:
    """Measure a model, and write its figures where --json is given: the text to print.

    Raises:
        WeightsError, UsageError: there is no such model, or it has another size.
    """
    network, info = open_network(settings.model, settings.image_size)
    engines = ENGINES if settings.engine == "all" else (settings.engine,)
    found = profile(network, settings.model, info, engines=engines, threads=settings.threads)
    if settings.json:
        settings.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    return as_text(found)


def open_network(model: str, size: int | None = None) -> tuple[nn.Module, WeightsInfo]:
    """A committed model, a weight file, a run folder, or a network's name with random weights.

    Raises:
        WeightsError, UsageError: no such thing, or a size that its weights do not fit.
    """
    if model in MODELS and model not in weights.read_manifest():
        return _bare_network(model, size)
    if Path(model).is_dir():
        run = load_run(Path(model))
        recipe, classes = run.config.settings.recipe, run.config.classes
        network, info = run.network, describe(recipe.network, recipe.shape(len(classes)), classes)
    else:
        stem, info = weights.locate(model)
        network = load_network(stem, info)
    if size and size != info.size:
        raise UsageError(f"{model} takes {info.size} pixels, not {size}: name a bare network")
    return network, info


def _bare_network(name: str, size: int | None) -> tuple[nn.Module, WeightsInfo]:
    """A network with random weights; one without a recipe of its name is a backbone for photos."""
    recipe = CLASSIFIERS.get(name)
    shape = recipe.shape(10) if recipe else Shape(10, size=PHOTO_SIDE, channels=3)
    shape = replace(shape, size=size or shape.size)
    network = MODELS[name](shape, dropout=0.0).eval()
    return network, describe(name, shape, tuple(map(str, range(shape.classes))))


def describe(network: str, shape: Shape, classes: tuple[str, ...]) -> WeightsInfo:
    """Metadata of weights that are measured, not published."""
    return WeightsInfo(
        name=network, network=network, classes=classes, network_input="", size=shape.size,
        channels=shape.channels, mean=(), std=(), temperature=1.0, head=shape.head,
    )  # fmt: skip
