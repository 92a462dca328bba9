"""Teaches garments to a wardrobe by pictures: located, described, added. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from training.inference.parser import FrameParser, openvino_parser
from training.inference.wardrobe import Wardrobe
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


def load_finder(locator: str, *, layer: str | None, threads: int) -> GarmentFinder:
    """A finder with a committed parser or a weight file.

    Raises:
        WeightsError: there is no such parser, or its file is damaged.
    """
    stem, info = locate_for("parse", locator)
    verified(stem.with_suffix(".onnx"))
    return GarmentFinder(openvino_parser(stem, info, threads=threads), layer)


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
    stem, info = locate_for("classify", settings.model)
    space = read_space(stem)
    if settings.new or not (settings.out.is_file() or settings.list or settings.forget):
        wardrobe = Wardrobe.empty(stem, space)
    else:
        wardrobe = Wardrobe.read(settings.out, stem=stem, space=space)
    lines = []
    if settings.forget:
        wardrobe = wardrobe.without(settings.forget)
        lines.append(f"forgot {settings.forget}")
    if settings.images:
        verified(stem.with_suffix(".onnx"))
        network = FeatureNetwork(stem, info, threads=settings.threads)
        find = load_finder(settings.locator, layer=settings.layer, threads=settings.threads)
        rows, skipped = [], []
        for name, image in _pictures(settings.images):
            region = find(image)
            if region is None:
                skipped.append(f"no {settings.layer} in {name}: left out")
                continue
            rows.append(network(crops_with_masks(image, [region], info))[:, network.classes :])
        if not rows:
            raise DataError(f"no {settings.layer} in any picture: give --layer as they show it")
        wardrobe = wardrobe.taught(settings.name, np.concatenate(rows))
        lines += [*skipped, _taught(settings.name, len(rows))]
    if settings.forget or settings.images:
        wardrobe.write(settings.out)
    return "\n".join([*lines, _listed(wardrobe, settings.out)])


def _pictures(paths: Sequence[Path]) -> list[tuple[str, np.ndarray]]:
    """Names and BGR pictures (H, W, 3).

    Raises:
        DataError: one cannot be read.
    """
    return [picture for path in paths for picture in read_media(path, step=FRAME_STEP)]


def _taught(name: str, count: int) -> str:
    more = f"; {ENOUGH} or more, from several sides, are better" if count < ENOUGH else ""
    return f"taught {name} by {count} picture{'s' * (count != 1)}{more}"


def _listed(wardrobe: Wardrobe, path: Path) -> str:
    counts = wardrobe.counts.items()
    garments = ", ".join(f"{name} ({count})" for name, count in counts) or "no garments"
    return f"{path}: {garments}; for {wardrobe.model}"
