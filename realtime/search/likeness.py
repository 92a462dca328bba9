"""Search by example: embeddings of garments, and the rows whose embeddings are nearest."""

import numpy as np

from preprocessing.images.regions import Region
from training.classification.teaching import Describer
from training.inference.embedding import read_space

MODEL = "photo"


class Embedder:
    """Describes garments by the network MODEL.

    Raises:
        WeightsError: its files are missing or damaged.
    """

    def __init__(self) -> None:
        self._describe = Describer(MODEL)
        self._space = read_space(self._describe.stem)

    def __call__(self, image: np.ndarray, region: Region) -> tuple[bytes, float]:
        """The embedding float16 as bytes, and its crowding, of a garment in BGR (H, W, 3)."""
        found = self._space.embed(self._describe(image, region)[None])
        return found[0].astype(np.float16).tobytes(), float(self._space.crowding(found)[0])
