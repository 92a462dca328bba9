"""Real photos as the Fashion-MNIST networks see them: cut out by our own segmentation."""

from pathlib import Path

import numpy as np
import torch

from preprocessing.errors import DataError
from preprocessing.fashion_mnist import CLASSES
from preprocessing.pictures import read_picture
from preprocessing.regions import whole_image
from preprocessing.samples import read_folders
from preprocessing.segmentation import segment, to_fashion_mnist
from training.data import Split

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
    samples = [sample for sample in read_folders(root) if sample.label in FOLDERS]
    if not samples:
        raise DataError(f"no photos in {root}: wanted folders named {', '.join(FOLDERS)}")
    crops = np.stack([_crop(sample.path) for sample in samples])
    labels = [CLASSES.index(FOLDERS[sample.label]) for sample in samples]
    return Split(torch.from_numpy(crops)[:, None], torch.tensor(labels))


def _crop(path: Path) -> np.ndarray:
    image = read_picture(path)
    regions = segment(image, "grabcut") or [whole_image(image)]
    return to_fashion_mnist(image, regions[0])
