"""Clusters of colours, the same for the same pixels."""

import cv2
import numpy as np


def kmeans(sample: np.ndarray, clusters: int, *, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """The cluster int (N,) of each row of a sample float32 (N, D), and the centres (clusters, D).

    The same sample always has the same clusters.
    """
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, 1.0)
    start = np.zeros((len(sample), 1), np.int32)  # not used as a start by KMEANS_PP_CENTERS
    cv2.setRNGSeed(0)
    _, nearest, centres = cv2.kmeans(sample, clusters, start, stop, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(nearest)[:, 0], np.asarray(centres)
