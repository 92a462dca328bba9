"""Named recipes of detectors: DETECTORS, as RECIPES are those of classifiers. Imports no torch."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class DetectorRecipe:
    """Everything that decides a detector's training, besides its data and its seed.

    The shares are probabilities or ranges of ultralytics' own augmentation.
    """

    network: str  # a definition that ultralytics carries
    epochs: int
    batch_size: int
    size: int  # side of the network's square input in pixels
    lr: float  # the highest learning rate
    optimizer: str
    weight_decay: float
    warmup_epochs: float
    mosaic: float  # share of images that are four put together
    close_mosaic: int  # last epochs without them
    scale: float  # range of zooming
    hue: float
    saturation: float
    brightness: float
    # Smaller pictures, which cost less, at first: (pixels, share of the epochs until which); not
    # where --image-size is given.
    smaller: tuple[tuple[int, float], ...] = ()
    class_gain: float = 0.5  # weight of the classes' loss; that of the boxes is 7.5
    patience: int = 0  # epochs without a better score before stopping; 0 for never
    pretrained: str = "none"  # or a file of weights to start from

    def size_at(self, epoch: int) -> int:
        """Side in pixels of the pictures of an epoch, counted from 0."""
        sizes = (size for size, until in self.smaller if epoch < until * self.epochs)
        return min(next(sizes, self.size), self.size)


DETECTOR = "detector"  # names its boxes itself
# Canvases bring their own variety, so the augmentation only shifts, mirrors and zooms.
CANVASES = DetectorRecipe(
    network="yolo26n",
    epochs=7,
    batch_size=16,
    size=320,
    smaller=((256, 2 / 3),),
    lr=0.002,
    optimizer="AdamW",
    weight_decay=5e-4,
    warmup_epochs=0.5,
    mosaic=0.0,
    close_mosaic=0,
    scale=0.3,
    hue=0.015,
    saturation=0.4,
    brightness=0.3,
    class_gain=1.5,  # garments are found long before they are told apart
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
}
