"""The classes to which --only limits a locator."""

from collections.abc import Sequence

import numpy as np

from preprocessing.errors import UsageError
from training.inference.weights import WeightsInfo


def kept_classes(info: WeightsInfo, only: Sequence[str]) -> np.ndarray:
    """A locator's classes to keep, bool (classes,): those named, or all if none is.

    Raises:
        UsageError: it does not know one of them.
    """
    unknown = sorted(set(only) - set(info.classes))
    if unknown:
        raise UsageError(f"--only: {info.name} has no class {', '.join(unknown)}: choose from "
                         f"{', '.join(info.classes)}")  # fmt: skip
    return np.array([not only or name in only for name in info.classes])
