"""From what networks give to probabilities. Imports no torch."""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (N, K), each row summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def shares(scores: np.ndarray) -> np.ndarray:
    """A detector's scores (N, K), each class for itself, as shares, each row summing to 1.

    What no class claims is shared by all.
    """
    rest = np.clip(1 - scores.sum(axis=1, keepdims=True), 0, None)
    claimed = scores + rest / scores.shape[1]
    return claimed / claimed.sum(axis=1, keepdims=True)
