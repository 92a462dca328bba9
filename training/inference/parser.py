"""A published parser: class probabilities for every cell of an image."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Unpack

import cv2
import numpy as np

from preprocessing.images.class_maps import Postprocessing
from training.inference.fitted import FittedFile
from training.inference.networks import Layout, Loader
from training.inference.openvino_network import NetworkOptions, OpenVinoNetwork
from training.inference.weights import STRIDE, WeightsInfo

POSTPROCESSING = FittedFile(
    "postprocessing",
    Postprocessing(),
    "python -m training.parsing.fit_postprocessing --model {0} --data DIR",
)


class FrameParser:
    """A parser with its scaling and the postprocessing fitted to it.

    The image's longer side becomes the network's, and both are rounded to the stride: a frame is
    stretched by a few percent at most, and no output cell is padding.

    Args:
        network: from BGR uint8 (1, 3, H, W) to float32 (1, classes, H / 4, W / 4).
    """

    def __init__(
        self,
        info: WeightsInfo,
        network: Callable[[np.ndarray], np.ndarray],
        postprocessing: Postprocessing,
    ):
        self.info, self.postprocessing = info, postprocessing
        self._network = network

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities float32 (classes, h, w) over the whole BGR image (H, W, 3)."""
        scale = self.info.size / max(image.shape[:2])
        height, width = (
            max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in image.shape[:2]
        )
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return self.parse(cv2.resize(image, (width, height), interpolation=method))

    def parse(self, image: np.ndarray) -> np.ndarray:
        """Class probabilities float32 (classes, h, w) of a BGR image (H, W, 3) at its own size.

        Its sides are multiples of the stride.
        """
        return self._network(np.ascontiguousarray(image.transpose(2, 0, 1)[None]))[0]


def read_parser(stem: Path, info: WeightsInfo, load: Loader) -> FrameParser:
    """The .onnx file on a runtime, with the errors of its loader."""
    network = load(stem, layout=Layout.EACH_SHAPE)
    network.require(fits=network.output[1] == len(info.classes))
    return FrameParser(info, network, POSTPROCESSING.read(stem))


def openvino_parser(
    stem: Path, info: WeightsInfo, **options: Unpack[NetworkOptions]
) -> FrameParser:
    """The .onnx file on OpenVINO, with the options and errors of `OpenVinoNetwork`."""
    return read_parser(stem, info, partial(OpenVinoNetwork, **options))
