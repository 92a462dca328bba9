"""The appearance of tracked garments: their colour and, with an attribute model, attributes."""

from collections.abc import Sequence

import numpy as np

from preprocessing.images.colours import colour_name, illuminant_gains
from preprocessing.images.regions import garment_pixels
from realtime.analysis.classifiers import CropClassifier, load_classifier
from realtime.analysis.tracks import Appearance, Track
from realtime.types import Region
from training.inference.probabilities import softmax, split_outputs

THRESHOLD = 0.5  # probability from which an attribute is reported
EPSILON = 1e-6  # added to probabilities before their logarithm


class AppearanceObserver:
    """Observes the colour of tracks and, with an attribute model, their attributes.

    Args:
        classifier: the attribute model; None for colours alone.
    """

    def __init__(self, classifier: CropClassifier | None = None):
        self._classifier = classifier
        self._attributes = classifier.info.attributes if classifier else ()

    def __call__(self, image: np.ndarray, tracks: Sequence[Track]) -> None:
        """Observe those tracks of a BGR frame (H, W, 3) that are due."""
        due = [track for track in tracks if track.appearance.due(track.last_seen)]
        if not due:
            return
        light = illuminant_gains(image, [track.region for track in tracks])
        regions = [track.region for track in due]
        rows = self._log_probabilities(image, regions)
        for track, row in zip(due, rows, strict=True):
            colour = colour_name(garment_pixels(image, track.region), light)
            track.appearance.observe(track.last_seen, colour, row)

    def _log_probabilities(
        self, image: np.ndarray, regions: list[Region]
    ) -> Sequence[np.ndarray | None]:
        """Of the attributes' classes (outputs,), for each region."""
        if self._classifier is None:
            return [None] * len(regions)
        parts = split_outputs(self._classifier.logits(image, regions), self._attributes)
        return list(np.log(np.concatenate([softmax(part) for part in parts], axis=1) + EPSILON))

    def attributes(self, appearance: Appearance) -> dict[str, str]:
        """The titles of the attributes that are probable enough, by the attributes' names."""
        means = appearance.mean_log_probabilities
        if means is None:
            return {}
        found = {}
        parts = split_outputs(means[None], self._attributes)
        for attribute, part in zip(self._attributes, parts, strict=True):
            probabilities = softmax(part)[0]
            if probabilities.max() >= THRESHOLD:
                found[attribute.name] = attribute.titles[int(probabilities.argmax())]
        return found


def load_attributes(
    model: str, *, engine: str, device: str, threads: int, precision: str
) -> CropClassifier:
    """An attribute model on its engine.

    Raises:
        WeightsError: no such model, or its file is missing or damaged.
        DeviceError: the engine or device is not available.
    """
    return load_classifier(
        model, engine=engine, device=device, threads=threads, precision=precision, task="attributes"
    )
