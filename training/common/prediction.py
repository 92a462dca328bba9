"""Predictions of networks: logits for a whole subset, and rows for pictures."""

import logging
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from preprocessing.errors import DataError
from preprocessing.images.read_media import read_media
from training.common.settings import PredictSettings
from training.common.subsets import UNREADABLE

log = logging.getLogger(__name__)

Pictures = Iterable[tuple[str, np.ndarray]]  # names and BGR pictures uint8 (H, W, 3)


def predict(network: nn.Module, loader: DataLoader) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits float32 (N, classes) and labels int64 (N, ...) of a whole loader.

    Pictures that could not be read keep their place, with the label UNREADABLE.
    """
    network = network.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for images, batch_labels in loader:
            logits.append(network(images).float())
            labels.append(batch_labels)
    return torch.cat(logits), torch.cat(labels)


def readable(logits: torch.Tensor, labels: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels as arrays, without the pictures that could not be read."""
    kept = labels != UNREADABLE
    return logits[kept].numpy(), labels[kept].numpy()


def predict_pictures(settings: PredictSettings, write_rows: Callable[[Pictures], int]) -> str:
    """Read the pictures of the settings and write their rows; the text to print.

    Args:
        write_rows: writes a row a picture, and returns their count.

    Raises:
        DataError: no such file or folder, or nothing to read in it.
    """
    if not settings.input.exists():
        raise DataError(f"--input {settings.input}: no such file or folder")
    bad: list[str] = []
    count = write_rows(read_media(settings.input, step=settings.step, bad=bad))
    for line in bad:
        log.warning("%s", line)
    return f"wrote {count} rows to {settings.out}; {len(bad)} pictures could not be read"
