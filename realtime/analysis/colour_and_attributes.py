"""What a garment is like besides its name: its colour, and attributes by a network."""

from collections import Counter

import numpy as np

from preprocessing.images.colours import colour_name, illuminant_gains
from realtime.analysis.classifier import Classifier, load_classifier
from realtime.types import Region
from training.inference.attributes import split_outputs
from training.inference.probabilities import softmax

EAGER = 3  # looks a new track takes in a row
RENEWAL = 25  # frames after which it is looked at again
SURE = 0.5  # probability from which an attribute is told


class Description:
    """What the looks at one track agree on."""

    def __init__(self):
        self._colours: Counter[str] = Counter()
        self._evidence: np.ndarray | None = None  # sum of log-probabilities of all attributes
        self._looks, self._looked_at = 0, 0

    def due(self, frame: int) -> bool:
        """Whether the track should be looked at in frame number `frame`."""
        return self._looks < EAGER or frame - self._looked_at >= RENEWAL

    def look(self, frame: int, colour: str, evidence: np.ndarray | None) -> None:
        """Take what one frame shows: a colour's name and log-probabilities (outputs,)."""
        self._looks, self._looked_at = self._looks + 1, frame
        self._colours[colour] += 1
        if evidence is not None:
            before = 0 if self._evidence is None else self._evidence
            self._evidence = before + evidence

    @property
    def colour(self) -> str:
        """The name that most looks gave; empty before the first."""
        return max(self._colours, key=self._colours.__getitem__, default="")

    @property
    def mean(self) -> np.ndarray | None:
        """Mean log-probabilities (outputs,); None without a network or a look."""
        return None if self._evidence is None else self._evidence / self._looks


class Describer:
    """Looks at tracks: their colour and, with a model of attributes, those.

    Args:
        classifier: of a model of attributes; None for colours alone.
    """

    def __init__(self, classifier: Classifier | None = None):
        self._classifier = classifier
        self._attributes = classifier.info.attributes if classifier else ()

    def __call__(self, image: np.ndarray, tracks: list) -> None:
        """Look at those tracks of a BGR frame (H, W, 3) that are due."""
        due = [track for track in tracks if track.description.due(track.last_seen)]
        if not due:
            return
        light = illuminant_gains(image, [track.region for track in tracks])
        regions = [track.region for track in due]
        rows = self._evidence(image, regions)
        for track, row in zip(due, rows, strict=True):
            track.description.look(
                track.last_seen, colour_name(garment_pixels(image, track.region), light), row
            )

    def _evidence(self, image: np.ndarray, regions: list[Region]) -> list[np.ndarray | None]:
        """Log-probabilities (outputs,) a region."""
        if self._classifier is None:
            return [None] * len(regions)
        parts = split_outputs(self._classifier.logits(image, regions), self._attributes)
        return list(np.log(np.concatenate([softmax(part) for part in parts], axis=1) + 1e-6))

    def attributes(self, description: Description) -> dict[str, str]:
        """The attributes that a description is sure of, by name."""
        if description.mean is None:
            return {}
        found = {}
        parts = split_outputs(description.mean[None], self._attributes)
        for attribute, (means,) in zip(self._attributes, parts, strict=True):
            shares = softmax(means[None])[0]
            if shares.max() >= SURE:
                found[attribute.name] = attribute.titles[int(shares.argmax())]
        return found


def garment_pixels(image: np.ndarray, region: Region) -> np.ndarray:
    """BGR uint8 (N, 3), N at least 1: what of a frame a region covers."""
    x1, y1, x2, y2 = region.window
    pixels = image[y1:y2, x1:x2][region.mask > 0]
    return pixels if len(pixels) else image[y1:y2, x1:x2].reshape(-1, 3)


def load_attributes(model: str, *, engine: str, device: str, threads: int) -> Classifier:
    """A model of attributes on its engine.

    Raises:
        WeightsError: no such model, or its file is missing or damaged.
        DeviceError: the engine or device is not there.
    """
    return load_classifier(model, engine=engine, device=device, threads=threads, task="attributes")
