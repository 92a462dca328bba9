"""F1 of rows, and SSIM."""

import json

import cv2
import make
import numpy as np
import pytest

from realtime.bench.speed.quality import f1_of_rows, ssim, ssim_of_videos


def row(frame, label="Coat", box=(0, 0, 10, 10)):
    return {"frame": frame, "label": label, "box": box}


@pytest.mark.parametrize(
    ("found", "wanted", "f1"),
    [
        ([row(0), row(1)], [row(0), row(1)], 1.0),
        ([row(0)], [row(0), row(1)], 2 / 3),
        ([row(0, "Bag")], [row(0)], 0.0),
        ([row(0, box=(0, 0, 10, 4))], [row(0)], 0.0),
        ([row(0, box=(0, 0, 10, 6))], [row(0)], 1.0),
        ([row(0), row(0)], [row(0)], 2 / 3),
        ([], [row(0)], 0.0),
    ],
)
def test_f1_of_rows(tmp_path, found, wanted, f1):
    for name, rows in (("a", found), ("b", wanted)):
        (tmp_path / name).write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert f1_of_rows(tmp_path / "a", tmp_path / "b") == pytest.approx(f1)


def test_ssim_falls_with_noise_and_blur(tmp_path):
    image = make.scene()
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 20, image.shape), 0, 255)
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, noisy.astype(np.uint8)) < 0.5 < ssim(image, blurred) < 0.99
    path = make.clip(tmp_path / "in.mp4")
    assert ssim_of_videos(path, path) == pytest.approx(1)
