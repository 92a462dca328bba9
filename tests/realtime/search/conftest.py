"""Stays of three people, for the tests of the search."""

import numpy as np
import pytest

from preprocessing.images.colours import FAMILIES, lab_of_codes
from realtime.search.schema import Stay, cell_of

LEVELS = {"longsleeve": (0.9, 0.9, 0.8), "pants": (0.9, 0.8, 0.8), "hat": (0.8, 0.8, 0.8)}


def stay(number, leaf, colour, person, **values):
    lab = lab_of_codes(FAMILIES[colour].split()[1:2])
    part, group, kind = LEVELS[leaf]
    lightness, green_red, blue_yellow = map(float, lab[0])
    return Stay(**{
        "stay": number, "version": 1, "open": False, "run": "run", "camera": f"cam{person}",
        "source": "a.mp4", "place": "hall", "first": float(number), "last": number + 1.0,
        "frames": 50, "person": person, "name": leaf, "leaf": leaf, "part_p": part,
        "group_p": group, "leaf_p": kind, "colour": colour, "cell": int(cell_of(lab)[0]),
        "lightness": lightness, "green_red": green_red, "blue_yellow": blue_yellow, "crop": b"jpg",
        "embedding": np.zeros(160, np.float16).tobytes(), "crowding": 0.0,
    } | values)  # fmt: skip


@pytest.fixture
def stays():
    return [
        stay(1, "longsleeve", "red", 1), stay(2, "pants", "blue", 1),
        stay(3, "longsleeve", "red", 2), stay(4, "pants", "black", 2), stay(5, "hat", "black", 2),
        stay(6, "longsleeve", "green", 3),
    ]  # fmt: skip
