"""The outputs of attribute networks, attribute by attribute."""

from collections.abc import Sequence

import numpy as np

from preprocessing.datasets.attribute_table import Attribute


def split_outputs(outputs: np.ndarray, attributes: Sequence[Attribute]) -> list[np.ndarray]:
    """Divide outputs (N, all classes) into an array (N, classes) for each attribute."""
    ends = np.cumsum([len(attribute) for attribute in attributes])
    return np.split(outputs, ends[:-1], axis=1)
