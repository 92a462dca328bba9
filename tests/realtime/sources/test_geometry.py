"""The eight orientations, and pictures of another size."""

import make
import numpy as np
import pytest

from realtime.sources.geometry import letterboxed
from realtime.sources.open_source import open_source

WIDTH, HEIGHT = 64, 48
# Upper 2x2 (a, b, c, d) of the display matrix: a point (x, y) is shown at (a x + c y, b x + d y).
ORIENTATIONS = [
    (1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0),  # turned clockwise
    (-1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, -1), (0, -1, -1, 0),  # mirrored, then turned
]  # fmt: skip


def shown_at(corner, x, y):
    """Where a pixel of the stored picture is shown."""
    a, b, c, d = corner
    width, height = (WIDTH, HEIGHT) if a else (HEIGHT, WIDTH)
    across, down = a * x + c * y, b * x + d * y
    return across + (width - 1) * (a + c < 0), down + (height - 1) * (b + d < 0)


@pytest.mark.parametrize("corner", ORIENTATIONS)
def test_all_orientations(tmp_path, corner):
    with open_source(str(make.clip(tmp_path / "stored.mp4", frames=2))) as source:
        stored = next(iter(source)).image
    path = make.orient(make.clip(tmp_path / "a.mp4", frames=2), corner)
    with open_source(str(path)) as source:
        seen = next(iter(source)).image
    assert seen.shape[1::-1] == (source.info.width, source.info.height)
    for x, y in ((0, 0), (3, 5), (WIDTH - 1, 0), (0, HEIGHT - 1), (15, 11), (40, 30)):
        across, down = shown_at(corner, x, y)
        assert (seen[down, across] == stored[y, x]).all()


def test_a_letterbox_keeps_the_shape():
    image = np.full((96, 48, 3), 200, np.uint8)
    fitted = letterboxed(image, width=64, height=48)
    assert fitted.shape == (48, 64, 3)
    assert (fitted[:, 20:44] == 200).all() and not fitted[:, :20].any() and not fitted[:, 44:].any()
    assert letterboxed(image, width=48, height=96) is image
