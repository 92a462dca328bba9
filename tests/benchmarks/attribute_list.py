"""Time and memory of reading DeepFashion's list of attributes at its full size, 289,222 x 1,000.

`python tests/benchmarks/attribute_list.py [FOLDER]` writes a generated list of some 880 MB there.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from preprocessing.datasets.deepfashion_benchmark import read_bits

PICTURES, ATTRIBUTES, EACH = 289_222, 1000, 3
ROWS = 500  # different ones, repeated


def name(index: int) -> str:
    return f"img/Sheer_Pleated-Front_Blouse_{index // 50:05d}/img_{index % 50:08d}.jpg"


def write(path: Path) -> None:
    rng, rows = np.random.default_rng(0), []
    for _ in range(ROWS):
        values = np.full(ATTRIBUTES, -1)
        values[rng.choice(ATTRIBUTES, EACH, replace=False)] = 1
        rows.append(" ".join(f"{value:2d}" for value in values))
    with path.open("w") as file:
        file.write(f"{PICTURES}\nimage_name  attribute_labels\n")
        for index in range(PICTURES):
            file.write(f"{name(index)}   {rows[index % ROWS]}\n")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    path = folder / "list_attr_img.txt"
    if not path.is_file():
        write(path)
    places = {name(index): index for index in range(PICTURES)}
    start = time.perf_counter()
    bits = read_bits(path, places, range(ATTRIBUTES))
    seconds = time.perf_counter() - start
    assert bits.row(0).sum() == EACH
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{path.stat().st_size / 1e6:.0f} MB read in {seconds:.1f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
