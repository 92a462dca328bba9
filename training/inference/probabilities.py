"""From the outputs of networks to probabilities."""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (N, K), each row summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def normalised_scores(scores: np.ndarray) -> np.ndarray:
    """A detector's independent class scores (N, K) as probabilities, each row summing to 1.

    Probability that no class claims is divided equally among all.
    """
    rest = np.clip(1 - scores.sum(axis=1, keepdims=True), 0, None)
    claimed = scores + rest / scores.shape[1]
    return claimed / claimed.sum(axis=1, keepdims=True)
