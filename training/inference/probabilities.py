"""From the outputs of classifiers and attribute networks to probabilities."""

from collections.abc import Sequence

import numpy as np

from preprocessing.datasets.attribute_table import Attribute


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (N, K), each row summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def split_outputs(outputs: np.ndarray, attributes: Sequence[Attribute]) -> list[np.ndarray]:
    """Divide outputs (N, all classes) into an array (N, classes) for each attribute."""
    ends = np.cumsum([len(attribute) for attribute in attributes])
    return np.split(outputs, ends[:-1], axis=1)
