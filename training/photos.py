"""Real photos as the Fashion-MNIST networks see them: cut out by our own segmentation."""

from pathlib import Path

import cv2
import numpy as np
import torch

from preprocessing.errors import DataError
from preprocessing.fashion_mnist import CLASSES
from preprocessing.regions import whole_image
from preprocessing.segmentation import segment, to_fashion_mnist
from training.data import Split

SUFFIXES = (".jpg", ".jpeg", ".png")
# Folder of the clothing photos (CC0, github.com/alexeygrigorev/clothing-dataset) to our class; the
# other folders have no single counterpart.
FOLDERS = {
    "t-shirt": "T-shirt/top",
    "pants": "Trouser",
    "dress": "Dress",
    "outwear": "Coat",
    "shirt": "Shirt",
}


def photo_split(root: Path) -> Split:
    """Every photo of a folder a class, each cut to its largest garment.

    Raises:
        DataError: none of the folders is there, or a photo cannot be read.
    """
    files = [
        (path, CLASSES.index(label))
        for folder, label in FOLDERS.items()
        for path in sorted((root / folder).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise DataError(f"no photos in {root}: wanted folders named {', '.join(FOLDERS)}")
    crops = np.stack([_crop(path) for path, _ in files])
    return Split(torch.from_numpy(crops)[:, None], torch.tensor([label for _, label in files]))


def _crop(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    if image is None:
        raise DataError(f"cannot read {path}: delete it or replace it")
    regions = segment(image, "grabcut") or [whole_image(image)]
    return to_fashion_mnist(image, regions[0])
