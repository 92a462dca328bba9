"""Recipes of detectors, and the settings of their commands. Imports no torch."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from preprocessing.datasets.samples_and_splits import SPLITS
from preprocessing.flags import FRACTION, Check, Flag
from training.common.settings import NETWORK, EvaluateSettings, ExportSettings, FitSettings, Recipe
from training.inference.weights import STRIDE, WEIGHTS_DIR

INPUT_SIDE = Check(
    f"a multiple of {STRIDE}, above 0", lambda value: value > 0 and value % STRIDE == 0
)


@dataclass(frozen=True, kw_only=True)
class DetectorRecipe(Recipe):
    """A recipe for boxes with classes; augmentation is ultralytics' own.

    Attributes:
        network: a definition that ultralytics carries.
        smaller: smaller images first, which cost less: (side in pixels, fraction of the epochs
            until which); without effect where --image-size is given.
        mosaic: probability that an image is four put together; close_mosaic: last epochs without.
        scale: range of zooming; hue, saturation, brightness: ranges of colour jitter.
        class_gain: weight of the classes' loss; that of the boxes is 7.5.
    """

    size: Annotated[
        int, Flag("side of the network's square input", INPUT_SIDE, "PIXELS", NETWORK,
                  name="--image-size"),
    ]  # fmt: skip
    smaller: tuple[tuple[int, float], ...] = ()
    optimizer: str = "AdamW"
    warmup_epochs: float
    mosaic: float = 0.0
    close_mosaic: int = 0
    scale: float
    hue: float = 0.015
    saturation: float
    brightness: float
    class_gain: float = 0.5
    pretrained: Annotated[
        str,
        Flag("weights to start from, as far as they fit", metavar="none|MODEL|FILE", group=NETWORK),
    ] = "none"

    @property
    def start(self) -> Path | None:
        """The weight file to start from, if any."""
        if self.pretrained == "none":
            return None
        path = Path(self.pretrained)
        return path if path.suffix else WEIGHTS_DIR / f"{self.pretrained}.onnx"

    def size_at(self, epoch: int) -> int:
        """Side in pixels of the images of an epoch, counted from 0."""
        sizes = (size for size, until in self.smaller if epoch < until * self.epochs)
        return min(next(sizes, self.size), self.size)


# Canvases bring their own variety, so that the augmentation only shifts, mirrors and zooms.
CANVASES = DetectorRecipe(
    network="yolo26n",
    epochs=7,
    batch_size=16,
    size=320,
    smaller=((256, 2 / 3),),
    lr=0.002,
    weight_decay=5e-4,
    warmup_epochs=0.5,
    scale=0.3,
    saturation=0.4,
    brightness=0.3,
    class_gain=1.5,  # garments are found long before their classes are
)
DETECTORS = {
    "yolo": CANVASES,
    "yolo-photo": replace(
        CANVASES,
        warmup_epochs=1.0,
        mosaic=0.5,
        close_mosaic=4,
        scale=0.5,
        saturation=0.5,
        brightness=0.4,
        class_gain=0.5,
        epochs=18,
    ),
    # People: one class, in frames of preprocessing.builders.people_frames.
    "yolo-people": replace(
        CANVASES,
        epochs=2,
        size=416,
        smaller=((320, 1 / 2),),
        mosaic=0.5,
        close_mosaic=1,
        scale=0.5,
        saturation=0.5,
        brightness=0.4,
        class_gain=0.5,
        pretrained="yolo-photo",
    ),
}


DATA = "data"
NO_NAMER = ("none", "detector")  # values of --namer, the second one an earlier spelling
BOXES = Flag(
    "labelled boxes in YOLO's layout, see preprocessing.builders.canvases",
    metavar="YAML",
    group=DATA,
    required=False,
)


@dataclass(frozen=True, kw_only=True)
class DetectorFitSettings(FitSettings):
    """Settings of a training."""

    task = "detect"

    recipe: DetectorRecipe
    data: Annotated[Path, BOXES]


@dataclass(frozen=True, kw_only=True)
class DetectorEvaluateSettings(EvaluateSettings):
    """Settings of an evaluation."""

    model: Annotated[str, Flag("committed model or weight file", metavar="NAME|FILE")]
    data: Annotated[Path | None, BOXES] = None
    split: Annotated[
        str | None,
        Flag("split of --data", group=DATA, choices=SPLITS, default="test, else validation"),
    ] = None
    empty: Annotated[
        Path | None,
        Flag("pictures without any garment, instead of --data: how often a box is detected",
             metavar="DIR", group=DATA),
    ] = None  # fmt: skip
    detection_confidence: Annotated[
        float | None,
        Flag("minimum score of a box that counts as a false one", FRACTION, "P", default="the "
             "detector's own", hidden=("--threshold",)),
    ] = None  # fmt: skip
    namer: Annotated[
        str | None,
        Flag("classifier that labels the boxes together with the detector, or none",
             metavar="MODEL|none", default="as in the live app", hidden=("--name-by",)),
    ] = None  # fmt: skip
    json: Annotated[Path | None, Flag("write the figures to this file too", metavar="FILE")] = None


@dataclass(frozen=True, kw_only=True)
class DetectorExportSettings(ExportSettings):
    """Settings of an export."""

    detection_confidence: Annotated[
        float | None,
        Flag("default minimum score of a box", FRACTION, "P", default="the best F1 on validation",
             hidden=("--confidence",)),
    ] = None  # fmt: skip
