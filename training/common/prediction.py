"""Predictions of networks: logits for a whole subset, and rows for pictures."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from preprocessing.errors import DataError
from preprocessing.files import Inputs
from preprocessing.images.pictures import picture_paths, read_media
from training.common.settings import PredictSettings

log = logging.getLogger(__name__)

Pictures = Iterable[tuple[str, np.ndarray]]  # names and BGR pictures uint8 (H, W, 3)


def predict_pictures(
    settings: PredictSettings,
    write_rows: Callable[[Pictures], int],
    *,
    images: Path | None = None,
) -> str:
    """Read the pictures of the settings and write their rows; the text to print.

    Args:
        write_rows: writes a row a picture, and returns their count.
        images: a further file or folder that the command writes.

    Raises:
        DataError: no such file or folder, or nothing to read in it.
        SinkError: an output is one of the pictures, or the folder of them.
    """
    if not settings.input.exists():
        raise DataError(f"--input {settings.input}: no such file or folder")
    inside = picture_paths(settings.input) if settings.input.is_dir() else []
    Inputs(inside or [settings.input]).keep_from("--out", settings.out)
    if images is not None:
        Inputs([settings.input]).keep_from("--out-image", images)
    bad: list[str] = []
    count = write_rows(read_media(settings.input, step=settings.step, bad=bad))
    for line in bad:
        log.warning("%s", line)
    return f"wrote {count} rows to {settings.out}; {len(bad)} pictures could not be read"
