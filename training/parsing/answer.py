"""A published parser's answer for an image, on OpenVINO. Imports no torch."""

from pathlib import Path

from training.openvino_network import OpenVinoNetwork
from training.weights import WeightsInfo


def openvino_parser(
    stem: Path, info: WeightsInfo, *, threads: int = 0, precise: bool = False, cache: str = ""
) -> OpenVinoNetwork:
    """From BGR uint8 (1, 3, H, W), sides in multiples of 32, to class probabilities float32
    (1, classes, H / 4, W / 4); its arguments and errors are those of `OpenVinoNetwork`.
    """
    network = OpenVinoNetwork(stem, threads=threads, precise=precise, cache=cache, fit=_reshaped)
    network.require(fits=network.output[1] == len(info.classes))
    return network


def _reshaped(model, shape: tuple[int, ...]):
    model.reshape(list(shape))
    return model
