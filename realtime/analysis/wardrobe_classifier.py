"""Taught garments in the live app: a classifier's probabilities, and the names of a wardrobe.

The wardrobe itself: `training.inference.wardrobe`.
"""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from realtime.analysis.classifiers import Classifier, CropClassifier
from realtime.analysis.engines import BatchedEngine, EngineOptions, RememberingEngine, loader
from realtime.runtime.devices import AUTO
from realtime.types import Region
from training.inference.embedding import FeatureNetwork, crops_with_masks, read_space, space_path
from training.inference.wardrobe import (
    Wardrobe,
    WardrobeMatcher,
    checked_name,
    named,
    prototype_views,
)
from training.inference.weights import WeightsInfo, locate, locate_for, verified


class FeatureClassifier(CropClassifier):
    """A classifier of crops whose network also describes the garment in each.

    Attributes:
        stem: path of its weights without suffix.
        space: the embedding that was fitted to them.

    Raises:
        WeightsError: no embedding was fitted to them, or its file is damaged.
    """

    def __init__(self, stem: Path, info: WeightsInfo, engine: RememberingEngine):
        super().__init__(info, engine)
        self.stem, self.space = stem, read_space(stem)
        self._remembering = engine

    def logits(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """The network's outputs float32 (N, classes), a row for each region."""
        if not regions:
            return super().logits(image, regions)
        return self._engine(crops_with_masks(image, regions, self.info))

    def prototypes(self, image: np.ndarray, region: Region) -> np.ndarray:
        """Features float32 (N, F) of a garment in a BGR image (H, W, 3) that is to be taught."""
        found = []
        for view, there in prototype_views(image, region):
            self.logits(view, [there])
            found.append(self.last_features)
        return np.concatenate(found)

    def wardrobe(
        self, path: Path | None, *, like: Wardrobe | None = None, missing_ok: bool = False
    ) -> Wardrobe:
        """The wardrobe in a file.

        Args:
            path: None for `like`, if it is one of this classifier's, or else an empty one.
            missing_ok: the file may still have to be made.

        Raises:
            WeightsError: there is no such file, it is damaged, or made with other weights.
        """
        empty = Wardrobe.empty(self.stem, self.space)
        if path is None:
            return like if like and like.weights == empty.weights else empty
        if missing_ok and not path.exists():
            return empty
        return Wardrobe.read(path, stem=self.stem, space=self.space)

    @property
    def last_features(self) -> np.ndarray:
        """Features float32 (N, F) of the regions that the calling thread classified last."""
        return self._remembering.features


def can_be_taught(model: str, engine: str) -> bool:
    """True if garments can be taught to a classifier on an engine.

    Raises:
        WeightsError: there is no such model.
    """
    readable = engine == "openvino" or find_spec("onnx") is not None  # by which features are found
    return readable and space_path(locate(model)[0]).is_file()


def load_feature_classifier(
    model: str,
    *,
    engine: str,
    device: str = "cpu",
    threads: int,
    precision: str = AUTO,
    concurrent: bool = False,
) -> FeatureClassifier:
    """A committed classifier or a weight file, verified, with features; see `load_classifier`.

    Raises:
        WeightsError: unknown model, a file is missing or damaged, or no embedding was fitted to it.
        DeviceError: the engine or device is not available.
    """
    stem, info = locate_for("classify", model)
    verified(stem.with_suffix(".onnx"))
    options = EngineOptions(engine=engine, device=device, threads=threads, precision=precision)
    network = FeatureNetwork(stem, info, loader(options))
    batched = BatchedEngine(network) if concurrent else network
    return FeatureClassifier(stem, info, RememberingEngine(batched, network.classes))


class WardrobeClassifier:
    """A classifier, corrected by the garments of a wardrobe.

    Where a garment is surely a taught one, its name takes the probability of that, and the other
    classes share the rest; elsewhere nothing changes. Taught names that are no classes become
    classes of their own.

    Args:
        classifier: uses `described` for its crops, alone or fused with other evidence.
    """

    def __init__(self, classifier: Classifier, described: FeatureClassifier, wardrobe: Wardrobe):
        self.classifier, self._described = classifier, described
        self.wardrobe = wardrobe
        self._matcher = WardrobeMatcher(wardrobe, described.space)
        known = classifier.info.classes
        new = tuple(name for name in self._matcher.names if name not in known)
        self.info = replace(classifier.info, classes=(*known, *new))
        self._columns = [self.info.classes.index(name) for name in self._matcher.names]

    def __call__(self, image: np.ndarray, regions: list[Region]) -> np.ndarray:
        """Class probabilities float32 (N, classes), a row for each region, summing to 1."""
        before = self.classifier(image, regions)
        found = np.zeros((len(regions), len(self.info.classes)), np.float32)
        found[:, : before.shape[1]] = before
        if not regions or not self._columns:
            return found
        taught = self._matcher(self._described.last_features)
        for row, best, probabilities in zip(found, named(taught), taught, strict=True):
            if best >= 0:
                row *= 1 - probabilities[best]
                row[self._columns[best]] += probabilities[best]
        return found

    def taught(self, name: str, image: np.ndarray, region: Region) -> "WardrobeClassifier":
        """The classifier that also knows the garment in a region of a BGR image (H, W, 3).

        Raises:
            UsageError: the name is none.
        """
        checked_name(name)  # at once
        wardrobe = self.wardrobe.taught(name, self._described.prototypes(image, region))
        return WardrobeClassifier(self.classifier, self._described, wardrobe)
