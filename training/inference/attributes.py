"""A network's answer by attribute. Imports no torch: the live app reads it too."""

from collections.abc import Sequence

import numpy as np

from preprocessing.datasets.attribute_table import Attribute


def split_outputs(outputs: np.ndarray, attributes: Sequence[Attribute]) -> list[np.ndarray]:
    """Outputs (N, all classes) as one array (N, classes) an attribute."""
    ends = np.cumsum([len(attribute) for attribute in attributes])
    return np.split(outputs, ends[:-1], axis=1)
