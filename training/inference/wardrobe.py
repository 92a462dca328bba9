"""Wardrobes: garments that were taught by a few pictures each, recognised without any training.

A wardrobe belongs to one classifier, whose features it holds: of each picture, and of views of it
on other grounds in other light, since garments move on. A garment gets a taught name where the
name's nearest prototypes are so similar that those of other garments hardly ever are, and those of
no other taught name about as much.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import UsageError, WeightsError
from preprocessing.images.regions import Region, whole_image
from preprocessing.images.segmentation import shrink
from preprocessing.synthesis.garment_views import ELSEWHERE, another_view
from training.inference.archives import read_arrays, replace_file, to_bytes
from training.inference.embedding import EmbeddingSpace
from training.inference.weights import sha256

MAX_NAME = 40  # characters
MAX_PROTOTYPES = 5000
PER_PICTURE = 5  # prototypes: the picture and its views
NEAREST_PROTOTYPES = 3  # of a name, over whose scores the mean is taken
SURROUNDINGS = 0.3  # of a garment's longer side, that views show around it
VIEW_SIDE = 400  # pixels of a view's longer side at most
RESERVED = "unknown"  # what the app shows for garments without a name


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """Names and features of taught garments.

    Attributes:
        model: name of the classifier; weights: SHA-256 of its .onnx file.
        names: of each row of `features`; a picture has PER_PICTURE of them.
        features: float16 (N, F), as `embedding.FeatureNetwork` gives them.
    """

    model: str
    weights: str
    names: tuple[str, ...]
    features: np.ndarray

    @classmethod
    def empty(cls, stem: Path, space: EmbeddingSpace) -> "Wardrobe":
        """A wardrobe without garments, for a classifier given without its suffix."""
        features = np.zeros((0, len(space.mean)), np.float16)
        return cls(stem.name, sha256(stem.with_suffix(".onnx")), (), features)

    @classmethod
    def read(cls, path: Path, *, stem: Path, space: EmbeddingSpace) -> "Wardrobe":
        """The wardrobe in a file, for a classifier given without its suffix.

        Raises:
            WeightsError: there is no such file, it is damaged, or made with another classifier.
        """
        expected = cls.empty(stem, space)
        try:
            arrays, metadata = read_arrays(path)
            names = tuple(map(checked_name, arrays["names"].tolist()))
            found = cls(str(metadata["model"]), str(metadata["sha256"]), names, arrays["features"])
            if found.weights == expected.weights:
                found._check(expected.features)
        except FileNotFoundError as error:
            raise WeightsError(
                f"no wardrobe {path}: teach a garment with `python -m training.teach --images DIR "
                f"--name NAME -o {path}`"
            ) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError, UsageError) as error:
            raise WeightsError(f"{path} is no wardrobe ({error}): teach its garments again with "
                               "`python -m training.teach --new`") from error  # fmt: skip
        if found.weights != expected.weights:
            raise WeightsError(
                f"{path} was made with other weights ({found.model}) than those of {stem.name}: "
                "teach its garments again with `python -m training.teach --new`"
            )
        return found

    def _check(self, like: np.ndarray) -> None:
        """Raise ValueError unless the features are as many as the names, finite, and like those."""
        size, kind = (len(self.names), like.shape[1]), like.dtype
        if self.features.shape != size or self.features.dtype != kind:
            raise ValueError(f"wanted features {kind} {size}, got {self.features.dtype} "
                             f"{self.features.shape}")  # fmt: skip
        if len(self.names) > MAX_PROTOTYPES or not np.isfinite(self.features).all():
            raise ValueError(f"more than {MAX_PROTOTYPES} rows, or features without a value")

    def to_bytes(self) -> bytes:
        """The content of its file."""
        arrays = {"names": np.array(self.names, dtype=str), "features": self.features}
        return to_bytes(arrays, {"model": self.model, "sha256": self.weights})

    def write(self, path: Path) -> None:
        """Write the file, replacing it as a whole.

        Raises:
            SinkError: it cannot be written.
        """
        replace_file(path, self.to_bytes())

    @property
    def counts(self) -> dict[str, int]:
        """Pictures by name, in the order in which names were taught."""
        return {name: -(-rows // PER_PICTURE) for name, rows in Counter(self.names).items()}

    def taught(self, name: str, features: np.ndarray) -> "Wardrobe":
        """The wardrobe with further pictures of a garment.

        Args:
            features: (N, F), of all `prototype_views` of the pictures.

        Raises:
            UsageError: the name is none, or there are too many pictures.
        """
        names = (*self.names, *[checked_name(name)] * len(features))
        if len(names) > MAX_PROTOTYPES:
            raise UsageError(f"a wardrobe holds {MAX_PROTOTYPES // PER_PICTURE} pictures: forget a "
                             "name first")  # fmt: skip
        added = np.concatenate([self.features, features.astype(np.float16)])
        return replace(self, names=names, features=added)

    def without(self, name: str) -> "Wardrobe":
        """The wardrobe without a name.

        Raises:
            UsageError: it has none of that name.
        """
        if name not in self.names:
            have = ", ".join(self.counts) or "none"
            raise UsageError(f"no garment {name!r} in the wardrobe: have {have}")
        kept = np.array([one != name for one in self.names])
        names = tuple(one for one in self.names if one != name)
        return replace(self, names=names, features=self.features[kept])


def checked_name(name: str) -> str:
    """A garment's name without blanks around it.

    Raises:
        UsageError: it is empty, too long, not printable or reserved.
    """
    name = " ".join(str(name).split())
    if name == RESERVED:
        raise UsageError(f"no garment can be named {RESERVED}: give its name, or other for none")
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise UsageError(f"a garment's name has 1 to {MAX_NAME} characters, got {name[:80]!r}")
    return name


def prototype_views(image: np.ndarray, region: Region) -> list[tuple[np.ndarray, Region]]:
    """The garment in a region of a BGR image (H, W, 3), and views of it: PER_PICTURE in all."""
    near, there = _near(image, region)
    rng, found = np.random.default_rng(0), [(image, region)]
    while len(found) < PER_PICTURE:
        view, moved = another_view(near, there, rng, ELSEWHERE)
        found.append((view, moved) if moved else (near, there))
    return found


def _near(image: np.ndarray, region: Region) -> tuple[np.ndarray, Region]:
    """The surroundings of a region, no larger than VIEW_SIDE, and the region in them."""
    x1, y1, x2, y2 = region.window
    margin = round(SURROUNDINGS * max(x2 - x1, y2 - y1))
    left, top = max(0, x1 - margin), max(0, y1 - margin)
    near = image[top : y2 + margin, left : x2 + margin]
    cover = np.zeros(near.shape[:2], np.uint8)
    cover[y1 - top : y2 - top, x1 - left : x2 - left] = region.mask
    small, mask = shrink(near, VIEW_SIDE), shrink(cover, VIEW_SIDE)
    there = Region.from_mask(cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1])
    return small, there or whole_image(small)


def name_scores(
    space: EmbeddingSpace, embeddings: np.ndarray, prototypes: np.ndarray
) -> np.ndarray:
    """How alike embeddings (N, D) and a garment of prototypes (M, D) are, float32 (N,)."""
    scores = space.scores(embeddings, prototypes)
    return np.sort(scores, axis=1)[:, -NEAREST_PROTOTYPES:].mean(axis=1)


class WardrobeMatcher:
    """Finds taught garments by their features.

    Attributes:
        names: of the columns of the result.
    """

    def __init__(self, wardrobe: Wardrobe, space: EmbeddingSpace):
        self.names = tuple(wardrobe.counts)
        self._space = space
        prototypes, names = space.embed(wardrobe.features), np.array(wardrobe.names)
        self._prototypes = [prototypes[names == name] for name in self.names]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """The probability of each taught garment float32 (N, names), from features (N, F).

        Where two taught garments are about as similar, neither is probable.
        """
        if not self.names or not len(features):
            return np.zeros((len(features), len(self.names)), np.float32)
        space, embeddings = self._space, self._space.embed(features)
        scores = [name_scores(space, embeddings, prototypes) for prototypes in self._prototypes]
        decision = space.decision
        exponents = decision.slope * np.stack(scores, axis=1) - decision.shift
        odds = np.exp(np.clip(exponents, -30, 30))
        return (odds / (1 + odds.sum(axis=1, keepdims=True))).astype(np.float32)


def named(probabilities: np.ndarray) -> np.ndarray:
    """For each row of probabilities (N, names) the index of a name that is surely meant, or -1."""
    if not probabilities.shape[1]:
        return np.full(len(probabilities), -1)
    best = probabilities.argmax(axis=1)
    return np.where(probabilities.max(axis=1) >= 0.5, best, -1)
