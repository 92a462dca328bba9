"""Finds, checks and reads Fashion-MNIST (arXiv 1708.07747).

`python -m preprocessing.datasets.fashion_mnist` prints its folder and writes a contact sheet.
"""

import gzip
import hashlib
import os
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from preprocessing.errors import DataError, exit_status
from preprocessing.flags import Flag, add_fields, data_arguments, read_fields
from preprocessing.images.contact_sheets import contact_sheet
from preprocessing.images.pictures import write_image

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SPLITS = {"train": "train", "test": "t10k"}
# sha256 of the unpacked files, so that any compression of them is accepted.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
ENVIRONMENT = "FASHION_MNIST_DIR"
DEBIAN_DIR = Path("/usr/share/datasets/fashion-mnist")
DOWNLOAD_DIR = Path("data")
TORCHVISION_DIR = DOWNLOAD_DIR / "FashionMNIST" / "raw"
REMEDY = "run `apt-get install dataset-fashion-mnist`, or name the folder with --data-dir"


@dataclass(frozen=True, kw_only=True)
class LocationSettings:
    """The flags of the command."""

    data_dir: Annotated[
        str,
        Flag("folder of the four files", metavar="DIR",
             default=f"${ENVIRONMENT}, data/, {DEBIAN_DIR}, or else a download"),
    ] = ""  # fmt: skip
    out: Annotated[Path, Flag("contact sheet to write", metavar="PNG", short="-o")] = Path(
        "out/fashion-mnist.png"
    )


def find(data_dir: str | Path | None = None, *, download: bool = True) -> Path:
    """The folder with all four files.

    That is `data_dir` if given, else $FASHION_MNIST_DIR if set, else the first of data/, the folder
    of Debian's package, and a download by torchvision.

    Raises:
        DataError: the named folder lacks a file, or nothing was found and the download failed.
    """
    named = data_dir or os.environ.get(ENVIRONMENT)
    if named:
        missing = _missing(Path(named))
        if missing:
            raise DataError(f"no {missing[0]}(.gz) in {named}: {REMEDY}")
        return Path(named)
    for folder in (DOWNLOAD_DIR, TORCHVISION_DIR, DEBIAN_DIR):
        if not _missing(folder):
            return folder
    if not download:
        raise DataError(f"Fashion-MNIST not found: {REMEDY}")
    return _download()


def load(split: str, data_dir: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (N, 28, 28), bright garment on black, and labels int64 (N,) of a split.

    Args:
        split: "train" (60,000) or "test" (10,000).
        data_dir: see `find`.

    Raises:
        DataError: a file is missing or its checksum is wrong.
    """
    folder, prefix = find(data_dir), SPLITS[split]
    images = _read_idx(folder, f"{prefix}-images-idx3-ubyte")
    labels = _read_idx(folder, f"{prefix}-labels-idx1-ubyte")
    return images, labels.astype(np.int64)


def _missing(folder: Path) -> list[str]:
    return [
        name for name in SHA256 if not any(path.is_file() for path in _candidates(folder, name))
    ]


def _candidates(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / name, folder / f"{name}.gz"


def _read_idx(folder: Path, name: str) -> np.ndarray:
    """One idx file, gzip or raw; the format is Yann LeCun's (magic, sizes, bytes)."""
    path = next((p for p in _candidates(folder, name) if p.is_file()), None)
    if path is None:
        raise DataError(f"no {name}(.gz) in {folder}: {REMEDY}")
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): delete it and {REMEDY}") from error
    if hashlib.sha256(raw).hexdigest() != SHA256[name]:
        raise DataError(f"{path} is damaged (wrong checksum): delete it and {REMEDY}")
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _download() -> Path:
    try:
        from torchvision.datasets import FashionMNIST  # needed for the download only

        for train in (True, False):
            FashionMNIST(DOWNLOAD_DIR, train=train, download=True)
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"Fashion-MNIST not found, no download ({reason}): {REMEDY}") from error
    return TORCHVISION_DIR


def main(argv: list[str] | None = None) -> int:
    arguments = data_arguments(
        "preprocessing.datasets.fashion_mnist",
        "Find Fashion-MNIST, check it, and write a contact sheet.",
        example="--data-dir data -o sheet.png",
    )
    add_fields(arguments, LocationSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: describe(read_fields(LocationSettings, args)))


def describe(settings: LocationSettings) -> int:
    """Print the data set's folder and counts, and write the contact sheet.

    Raises:
        DataError: see `load`.
        SinkError: the contact sheet cannot be written.
    """
    print(f"found in {find(settings.data_dir)}, checksums:")
    rows = []
    for split in SPLITS:
        images, labels = load(split, settings.data_dir)
        counts = np.bincount(labels, minlength=len(CLASSES))
        classes = ", ".join(f"{name} {n}" for name, n in zip(CLASSES, counts, strict=True))
        print(f"  {split}: {len(images)} images, ok; {classes}")
        rows = [images[labels == label][:16] for label in range(len(CLASSES))]
    write_image(settings.out, contact_sheet(list(np.concatenate(rows)), columns=16, scale=2))
    print(f"wrote {settings.out}: a row for each class, test split")
    return 0


if __name__ == "__main__":
    sys.exit(main())
