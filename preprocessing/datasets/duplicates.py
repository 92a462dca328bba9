"""Finds nearly identical pictures by perceptual hashes."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image

BITS = 64
MAX_DISTANCE = 4  # differing bits of 64 up to which two pictures are near-duplicates
BANDS = MAX_DISTANCE + 1  # so that two near hashes are equal in at least one band


def perceptual_hash(image: np.ndarray) -> int:
    """64 bits that hardly change when a BGR picture is scaled or recompressed.

    The signs of the lowest frequencies of its cosine transform (Zauner 2010).
    """
    import imagehash  # with SciPy, takes a second to import

    picture = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    return int(str(imagehash.phash(picture)), 16)


def near_duplicates(hashes: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of indices, the smaller first, whose hashes differ in at most MAX_DISTANCE bits."""
    pairs = set()
    edges = np.linspace(0, BITS, BANDS + 1).astype(int).tolist()
    for low, high in pairwise(edges):
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for index, value in enumerate(hashes):
            buckets[value >> low & ((1 << (high - low)) - 1)].append(index)
        for members in buckets.values():
            for position, first in enumerate(members):
                for second in members[position + 1 :]:
                    if (hashes[first] ^ hashes[second]).bit_count() <= MAX_DISTANCE:
                        pairs.add((first, second))
    return sorted(pairs)
