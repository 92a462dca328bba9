"""Predictions of networks: logits for a whole subset, and rows for pictures."""

import logging
from collections.abc import Callable, Iterable

import numpy as np

from preprocessing.errors import DataError
from preprocessing.images.pictures import read_media
from training.common.settings import PredictSettings

log = logging.getLogger(__name__)

Pictures = Iterable[tuple[str, np.ndarray]]  # names and BGR pictures uint8 (H, W, 3)


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
