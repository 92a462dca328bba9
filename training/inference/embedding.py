"""Embeddings of garments: which very garment a crop shows, beside its class.

A classifier's finer feature maps are averaged over the garment's pixels, so that the ground counts
little: they show cloth, colour and print. A linear map, fitted to photos of many garments, keeps
what differs between garments and drops what differs between photos of one (linear discriminant
analysis). Beside them stand the principal components of the last layer's input: shape and kind. Two
embeddings are compared by their cosine, less the similarity of each to its nearest among photos of
other garments (adaptive score normalisation): a pair of jeans is like many, a printed shirt like
few.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import WeightsError
from preprocessing.images.regions import NETWORK_INPUTS, Region, square_crop
from training.inference.archives import read_arrays, replace_file, to_bytes
from training.inference.networks import Loader
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo, sha256

MAPS = 3  # of a network's feature maps, the finest
KIND_WEIGHT = 0.7  # of shape and kind beside cloth
NEAREST = 5  # background embeddings, over whose similarity the mean is taken
FAINT = 1e-3  # weight of pixels outside a garment, which matters where its mask is empty
VARIANCE = 1e-8  # added before roots
COMMAND = "python -m training.classification.fit_wardrobe --model {} --photos CSV"


class FeatureNetwork:
    """A published classifier that also gives features of each crop's garment.

    The first features are of its cloth, the others of its kind: see `EmbeddingSpace`.

    Attributes:
        classes: number of its classes, K.
    """

    def __init__(self, stem: Path, info: WeightsInfo, load: Loader = OpenVinoNetwork):
        self.classes = len(info.classes)
        self._network = load(stem, features=True)
        wanted = (info.channels, info.size, info.size)
        network = self._network
        network.require(fits=network.input[1:] == wanted and network.output[1:] == (self.classes,))

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Logits and features float32 (N, K + F), side by side.

        Args:
            batch: uint8 (N, C + 1, S, S), crops and, as their last plane, the garments' masks.
        """
        crops = np.ascontiguousarray(batch[:, :-1])
        logits, *maps, last = self._network.outputs_for(crops)
        cloth = masked_statistics(maps[:MAPS], batch[:, -1])
        return np.concatenate([logits, cloth, last], axis=1)


def cloth_features(stem: Path, info: WeightsInfo) -> int:
    """The number of a network's features that are of cloth."""
    network = OpenVinoNetwork(stem, features=True)
    _, *maps, _ = network.outputs_for(np.zeros((1, info.channels, info.size, info.size), np.uint8))
    return 2 * sum(one.shape[1] for one in maps[:MAPS])


def crops_with_masks(image: np.ndarray, regions: Sequence[Region], info: WeightsInfo) -> np.ndarray:
    """The crops of a BGR image (H, W, 3) that a classifier takes, and as last plane their masks.

    Returns:
        uint8 (N, C + 1, S, S), N at least 1.
    """
    crop, size = NETWORK_INPUTS[info.network_input], (info.size, info.size)
    stacked = []
    for region in regions:
        x1, y1, x2, y2 = region.window
        cover = np.zeros(image.shape[:2], np.uint8)
        cover[y1:y2, x1:x2] = region.mask
        mask = cv2.resize(square_crop(cover, region), size, interpolation=cv2.INTER_AREA)
        stacked.append(np.concatenate([crop(image, region, info.size), mask[None]]))
    return np.stack(stacked)


def masked_statistics(maps: list[np.ndarray], masks: np.ndarray) -> np.ndarray:
    """Means and deviations of feature maps under masks, float32 (N, 2 x all channels).

    Args:
        maps: float32 (N, C, H, W) each.
        masks: uint8 (N, S, S), 255 on the garment; S is a multiple of each H and W.
    """
    parts = []
    for one in maps:
        count, channels, height, width = one.shape
        rows, columns = masks.shape[1] // height, masks.shape[2] // width
        cells = masks.reshape(count, height, rows, width, columns).mean(axis=(2, 4))
        weights = cells.reshape(count, -1, 1).astype(np.float32) / 255 + FAINT
        weights /= weights.sum(axis=1, keepdims=True)
        flat = one.reshape(count, channels, -1)
        means = (flat @ weights)[..., 0]
        squares = (np.square(flat) @ weights)[..., 0]
        deviations = np.sqrt(np.maximum(squares - np.square(means), 0) + VARIANCE)
        parts += [means, deviations]
    return np.concatenate(parts, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Decision:
    """From scores to probabilities: fitted on garments of other senders.

    Attributes:
        slope, shift: the probability of "the same garment" is the logistic function of slope times
            the score less shift.
    """

    slope: float
    shift: float


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """The embedding that was fitted to one classifier's weights.

    Attributes:
        mean: float32 (F,), of features.
        cloth: float32 (C, M), projection of the first features less their mean; kind: float32
            (K, F - M), of the others.
        background: float32 (B, C + K), embeddings of photos of many garments.
    """

    mean: np.ndarray
    cloth: np.ndarray
    kind: np.ndarray
    background: np.ndarray
    decision: Decision

    def embed(self, features: np.ndarray) -> np.ndarray:
        """Embeddings float32 (N, C + K) of unit length, from features (N, F)."""
        centred, first = features.astype(np.float32) - self.mean, self.cloth.shape[1]
        cloth = _unit(centred[:, :first] @ self.cloth.T)
        kind = _unit(centred[:, first:] @ self.kind.T)
        return np.concatenate([cloth, KIND_WEIGHT * kind], axis=1) / np.hypot(1, KIND_WEIGHT)

    def crowding(self, embeddings: np.ndarray) -> np.ndarray:
        """Mean similarity float32 (N,) of embeddings (N, D) to the nearest of the background."""
        similarities = embeddings @ self.background.T
        nearest = np.partition(similarities, -NEAREST, axis=1)[:, -NEAREST:]
        return nearest.mean(axis=1)

    def scores(self, embeddings: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
        """How alike embeddings (N, D) and prototypes (M, D) are, float32 (N, M)."""
        crowding = self.crowding(embeddings)[:, None] + self.crowding(prototypes)[None]
        return embeddings @ prototypes.T - crowding / 2


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows (N, D) at unit length."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def space_path(stem: Path) -> Path:
    """The file of the embedding of a classifier, given without its suffix: beside its weights."""
    return stem.with_name(f"{stem.name}.wardrobe.npz")


def read_space(stem: Path) -> EmbeddingSpace:
    """The embedding fitted to a classifier's weights.

    Raises:
        WeightsError: there is none, it was fitted to other weights, or it is damaged.
    """
    path, command = space_path(stem), f"fit it with `{COMMAND.format(stem.name)}`"
    if not path.is_file():
        raise WeightsError(f"garments cannot be taught to {stem.name}, which has no {path}: "
                           f"use --model photo, or {command}")  # fmt: skip
    try:
        arrays, metadata = read_arrays(path)
        space = EmbeddingSpace(
            mean=arrays["mean"].astype(np.float32),
            cloth=arrays["cloth"].astype(np.float32),
            kind=arrays["kind"].astype(np.float32),
            background=arrays["background"].astype(np.float32),
            decision=Decision(**metadata["decision"]),
        )
        (size,), (first, start), (second, rest) = (
            one.shape for one in (space.mean, space.cloth, space.kind)
        )
        count, wide = space.background.shape
        if start + rest != size or first + second != wide or count < NEAREST:
            raise ValueError("arrays do not fit together")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged ({error}): `git checkout {path}`, or {command}"
                           ) from error  # fmt: skip
    if metadata.get("sha256") != sha256(stem.with_suffix(".onnx")):
        raise WeightsError(f"{path} was fitted to other weights: {command}")
    return space


def write_space(space: EmbeddingSpace, stem: Path) -> Path:
    """Write the embedding fitted to a classifier's weights; the path of the file.

    Raises:
        SinkError: it cannot be written.
    """
    path = space_path(stem)
    arrays = {
        "mean": space.mean,
        "cloth": space.cloth.astype(np.float16),
        "kind": space.kind.astype(np.float16),
        "background": space.background.astype(np.float16),
    }
    metadata = {
        "model": stem.name,
        "sha256": sha256(stem.with_suffix(".onnx")),
        "decision": asdict(space.decision),
    }
    replace_file(path, to_bytes(arrays, metadata))
    return path
