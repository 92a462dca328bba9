"""Quality lost to a faster setting or a smaller file: F1 of rows, and SSIM of pictures."""

import json
from collections import defaultdict
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from preprocessing.images.regions import box_iou, greedy_matches

MATCH_IOU = 0.5  # from which two rows are of the same garment
SIGMA, WINDOW = 1.5, (11, 11)  # of SSIM, Wang et al. 2004
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def f1_of_rows(found: Path, wanted: Path) -> float:
    """F1 of JSON rows relative to others: same frame, same label, IoU of MATCH_IOU or more."""
    ours, theirs = _rows(found), _rows(wanted)
    right = sum(_matches(ours[frame], theirs[frame]) for frame in ours.keys() & theirs.keys())
    count = sum(map(len, ours.values())) + sum(map(len, theirs.values()))
    return 2 * right / max(1, count)


def _rows(path: Path) -> dict[int, list[dict]]:
    rows: dict[int, list[dict]] = defaultdict(list)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        rows[row["frame"]].append(row)
    return rows


def _matches(some: list[dict], others: list[dict]) -> int:
    """The number of pairs of rows with the same label, by greedy matching."""
    boxes, other_boxes = (
        np.array([row["box"] for row in rows], np.float32) for rows in (some, others)
    )
    same_label = np.array([[a["label"] == b["label"] for b in others] for a in some])
    overlap = np.where(same_label, box_iou(boxes, other_boxes), 0.0)
    return len(greedy_matches(overlap, minimum=MATCH_IOU))


def ssim(image: np.ndarray, other: np.ndarray) -> float:
    """Structural similarity of two BGR images (H, W, 3), of their grey values."""
    a, b = (cv2.cvtColor(i, cv2.COLOR_BGR2GRAY).astype(np.float32) for i in (image, other))

    def smooth(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, WINDOW, SIGMA)

    mean_a, mean_b = smooth(a), smooth(b)
    var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    both = smooth(a * b) - mean_a * mean_b
    found = (2 * mean_a * mean_b + C1) * (2 * both + C2)
    return float((found / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))).mean())


def ssim_of_videos(path: Path, original: Path, *, every: int = 10) -> float:
    """Mean SSIM of every n-th frame of two videos of the same length."""
    first, second, found = cv2.VideoCapture(str(path)), cv2.VideoCapture(str(original)), []
    for index in count():
        done, image = first.read()
        also, other = second.read()
        if not (done and also):
            break
        if index % every == 0:
            found.append(ssim(image, other))
    return float(np.mean(found))
