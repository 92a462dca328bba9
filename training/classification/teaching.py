"""Teaches garments to a wardrobe by pictures: located, described, added. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np

from preprocessing.errors import DataError, UsageError
from preprocessing.flags import Flag
from preprocessing.images.class_maps import garments
from preprocessing.images.pictures import read_media
from preprocessing.images.regions import Region, whole_image
from preprocessing.images.segmentation import segment
from preprocessing.labels import LAYERS
from training.inference.embedding import FeatureNetwork, crops_with_masks, read_space
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.parser import FrameParser, openvino_parser
from training.inference.wardrobe import PER_PICTURE, Wardrobe, prototype_views
from training.inference.weights import locate_for, verified

FRAME_STEP = 10  # of a video that is given in place of pictures
ENOUGH = 3  # pictures of a garment


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """Settings of the command.

    Raises:
        UsageError: flags are missing, or contradict each other.
    """

    out: Annotated[
        Path, Flag("wardrobe: a file that is made, added to, or read", metavar="FILE", short="-o")
    ]
    images: Annotated[
        tuple[Path, ...],
        Flag("pictures of one garment, folders of them, or videos", metavar="PATH", nargs="+",
             default="none"),
    ] = ()  # fmt: skip
    name: Annotated[
        str, Flag('its name: a new one such as "blue jumper", or a class', metavar="NAME")
    ] = ""
    layer: Annotated[
        str | None,
        Flag("garment to take where a picture shows several", choices=LAYERS,
             default="the largest"),
    ] = None  # fmt: skip
    new: Annotated[bool, Flag("begin a new wardrobe, whatever the file holds")] = False
    list: Annotated[bool, Flag("print the garments of the wardrobe")] = False
    forget: Annotated[str, Flag("remove a garment from the wardrobe", metavar="NAME")] = ""
    model: Annotated[str, Flag("classifier that shall know the garments", metavar="NAME|FILE")] = (
        "photo"
    )
    locator: Annotated[
        str, Flag("parser that finds the garment in a picture", metavar="NAME|FILE")
    ] = "parser"
    threads: Annotated[int, Flag("CPU threads of each network", metavar="N")] = 1

    def __post_init__(self) -> None:
        if not self.images and not self.list and not self.forget:
            raise UsageError("give --images PATH and --name NAME, --list, or --forget NAME")
        if bool(self.images) != bool(self.name):
            raise UsageError("--images and --name go together")
        if self.new and not self.images:
            raise UsageError("--new needs --images: it begins a new wardrobe")


class GarmentFinder:
    """Finds the garment that a picture is meant to show.

    Args:
        layer: of LAYERS, where only garments of that layer are meant.
    """

    def __init__(self, parser: FrameParser, layer: str | None = None):
        self._parser, self._layer = parser, layer

    def __call__(self, image: np.ndarray) -> Region | None:
        """The largest garment in a BGR image (H, W, 3); None if there is none of the layer.

        A picture in which the parser finds none shows what contrasts with its border, or else the
        garment alone.
        """
        height, width = image.shape[:2]
        found = garments(
            self._parser(image), width=width, height=height, settings=self._parser.postprocessing
        )
        if self._layer:
            found = [one for one in found if _layer(one) == self._layer]
            return _largest(found) if found else None
        return _largest(found or segment(image, "grabcut") or [whole_image(image)])


def load_finder(locator: str, *, layer: str | None = None, threads: int = 1) -> GarmentFinder:
    """A finder with a committed parser or a weight file.

    Raises:
        WeightsError: there is no such parser, or its file is damaged.
    """
    stem, info = locate_for("parse", locator)
    verified(stem.with_suffix(".onnx"))
    return GarmentFinder(openvino_parser(stem, info, threads=threads), layer)


class Describer:
    """Describes garments by the features of a classifier.

    Attributes:
        stem: path of its weights without suffix; info: their metadata.

    Raises:
        WeightsError: there is no such classifier, or its file is damaged.
    """

    def __init__(self, model: str, *, threads: int = 1):
        self.stem, self.info = locate_for("classify", model)
        verified(self.stem.with_suffix(".onnx"))
        self._network = FeatureNetwork(
            self.stem, self.info, partial(OpenVinoNetwork, threads=threads)
        )

    def __call__(self, image: np.ndarray, region: Region | None) -> np.ndarray:
        """Features float32 (F,) of a garment in a BGR image (H, W, 3); None for all of it."""
        crops = crops_with_masks(image, [region or whole_image(image)], self.info)
        return self._network(crops)[0, self._network.classes :]

    def prototypes(self, image: np.ndarray, region: Region) -> np.ndarray:
        """Features float32 (PER_PICTURE, F) of a garment that is to be taught."""
        return np.stack([self(*view) for view in prototype_views(image, region)])


def _largest(regions: Sequence[Region]) -> Region:
    return max(regions, key=lambda region: np.count_nonzero(region.mask))


def _layer(region: Region) -> str:
    return "" if region.scores is None else LAYERS[int(region.scores.argmax())]


def teach(settings: TeachSettings) -> str:
    """Do as the flags ask; a text about what was done.

    Raises:
        WeightsError: the classifier cannot be taught, or the wardrobe is of other weights.
        DataError: a picture cannot be read, or none shows a garment.
        SinkError: the wardrobe cannot be written.
    """
    wardrobe, lines = _opened(settings), []
    if settings.forget:
        wardrobe = wardrobe.without(settings.forget)
        lines.append(f"forgot {settings.forget}")
    if settings.images:
        features, skipped = _described(settings)
        wardrobe = wardrobe.taught(settings.name, features)
        lines += [*skipped, _taught(settings.name, len(features) // PER_PICTURE)]
    if settings.forget or settings.images:
        wardrobe.write(settings.out)
    return "\n".join([*lines, _listed(wardrobe, settings.out)])


def _opened(settings: TeachSettings) -> Wardrobe:
    """The wardrobe that the flags name, or a new one."""
    stem = locate_for("classify", settings.model)[0]
    space = read_space(stem)
    begins = settings.new or (settings.images and not settings.out.exists())
    if begins and not settings.forget:
        return Wardrobe.empty(stem, space)
    return Wardrobe.read(settings.out, stem=stem, space=space)


def _described(settings: TeachSettings) -> tuple[np.ndarray, list[str]]:
    """Features (N, F) of the garment in the pictures, and a line for each without it."""
    describe = Describer(settings.model, threads=settings.threads)
    find = load_finder(settings.locator, layer=settings.layer, threads=settings.threads)
    rows, skipped = [], []
    for path in settings.images:
        for name, image in read_media(path, step=FRAME_STEP):
            region = find(image)
            if region is None:
                skipped.append(f"no {settings.layer} in {name}: left out")
            else:
                rows.append(describe.prototypes(image, region))
    if not rows:
        raise DataError(f"no picture shows a {settings.layer}: give another --layer, or none")
    return np.concatenate(rows), skipped


def _taught(name: str, count: int) -> str:
    more = f"; {ENOUGH} or more, from several sides, are better" if count < ENOUGH else ""
    return f"taught {name} by {count} picture{'s' * (count != 1)}{more}"


def _listed(wardrobe: Wardrobe, path: Path) -> str:
    counts = wardrobe.counts.items()
    garments = ", ".join(f"{name} ({count})" for name, count in counts) or "no garments"
    return f"{path}: {garments}; for {wardrobe.model}"
