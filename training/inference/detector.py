"""A published detector: an image in, boxes with class scores out."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from training.inference.detection_decoding import Detections, Letterbox, decode
from training.inference.openvino_network import NetworkOptions, OpenVinoNetwork
from training.inference.weights import WeightsInfo

# From BGR uint8 (H, W, 3), sides in multiples of the stride, to float32 (4 + classes, anchors).
Network = Callable[[np.ndarray], np.ndarray]


class Detector:
    """A network with its letterbox and decoding.

    Args:
        confidence: minimum score of a box; None for the one chosen on validation.
        square: pad every image to one shape, for images of many sizes.
        multi_label, class_agnostic: see `decode`.
    """

    def __init__(
        self,
        info: WeightsInfo,
        network: Network,
        *,
        confidence: float | None = None,
        square: bool = False,
        multi_label: bool = False,
        class_agnostic: bool = False,
    ):
        self.info = info
        self.confidence = info.confidence if confidence is None else confidence
        self._network = network
        self._square = square
        self._multi_label, self._class_agnostic = multi_label, class_agnostic

    def __call__(self, image: np.ndarray) -> Detections:
        """The objects in a BGR image uint8 (H, W, 3)."""
        height, width = image.shape[:2]
        letterbox = _letterbox(width, height, self.info.size, self._square)
        found = decode(
            self._network(letterbox(image)),
            confidence=self.confidence,
            multi_label=self._multi_label,
            class_agnostic=self._class_agnostic,
        )
        boxes = letterbox.undo(found.boxes)
        if self._class_agnostic:  # garments cover whole pixels
            rounded = np.round(boxes)
            has_area = (rounded[:, 2:] > rounded[:, :2]).all(axis=1, keepdims=True)
            boxes = np.where(has_area, rounded, boxes)
        return Detections(boxes, found.scores)


@lru_cache(maxsize=16)
def _letterbox(width: int, height: int, size: int, square: bool) -> Letterbox:
    return Letterbox.fit(width, height, size, square=square)


def openvino_detector(stem: Path, info: WeightsInfo, **options: Unpack[NetworkOptions]) -> Network:
    """The .onnx file on OpenVINO, with the options and errors of `OpenVinoNetwork`."""
    network = OpenVinoNetwork(stem, fit=_for_frames, **options)
    network.require(fits=network.output[1] == 4 + len(info.classes))
    return lambda image: network(image[None])[0]


def _for_frames(model: Any, shape: tuple[int, ...]) -> Any:
    """The openvino.Model with BGR uint8 (1, H, W, 3) as input, not RGB of 0 to 1 (1, 3, H, W)."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    height, width = shape[1:3]
    model.reshape([1, 3, height, width])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(
        ColorFormat.BGR
    )
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(
        255.0
    )
    return steps.build()
