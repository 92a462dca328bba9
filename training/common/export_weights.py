"""Publishing of a network: NAME.onnx, compared with the network, entered in the manifest."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.utils.data import DataLoader

from preprocessing.errors import WeightsError
from training.common.checkpoints import load_network
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.models.onnx_tensors import HALF, add_tensors

N = TypeVar("N", bound=nn.Module)
CHECKED_IMAGES = 256
# Between logits that two engines compute in single precision: rounding grows with the numbers.
LOGIT_DIFFERENCE, LOGIT_RELATIVE = 0.02, 0.002


def publish(
    info: WeightsInfo,
    network: nn.Module,
    folder: Path,
    *,
    write_onnx: Callable[[Path], None],
    check: Callable[[Path, WeightsInfo], None],
    measure: Callable[[Path], WeightsInfo] | None = None,
    half: bool = True,
) -> WeightsInfo:
    """Write the file of a network into a folder, check it, and enter it in the manifest.

    Args:
        network: with its final numbers, see `rounded`; saved in half or single precision.
        write_onnx: writes the .onnx file at a path, without metadata.
        check: compares what OpenVINO and torch make of the file at a path without suffix, see
            `compare_outputs`.
        measure: evaluates the .onnx file at a path without suffix before it gets its metadata, and
            returns that with the figures; None if `info` has them already.

    Returns:
        The metadata as published.

    Raises:
        WeightsError: the network read back from the file gives other outputs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    write_onnx(stem.with_suffix(".onnx"))
    if measure is not None:
        info = measure(stem)
    describe_onnx(stem.with_suffix(".onnx"), info)
    add_tensors(stem.with_suffix(".onnx"), network, half=half)
    check(stem, info)
    weights.write_manifest(info, folder)
    return info


def rounded(network: N) -> N:
    """The network with half-precision numbers, in single precision.

    Rounded before it is measured, the file and all figures belong to the same numbers.
    """
    return network.half().float()


def count_parameters(network: nn.Module) -> int:
    """Trainable and frozen parameters."""
    return sum(p.numel() for p in network.parameters())


def first_images(loader: DataLoader, *, count: int = CHECKED_IMAGES) -> torch.Tensor:
    """The first images of a loader, uint8 (n, C, S, S)."""
    batches, found = [], 0
    for images, *_ in loader:
        batches.append(images)
        found += len(images)
        if found >= count:
            break
    return torch.cat(batches)[:count]


def check_logits(stem: Path, info: WeightsInfo, images: torch.Tensor) -> None:
    """Compare the graph and the tensors of a row of MODELS on uint8 images (N, C, S, S).

    Raises:
        WeightsError: their logits differ by more than rounding.
    """
    with torch.inference_mode():
        logits = load_network(stem, info)(images).numpy()
    compare_logits(stem, OpenVinoNetwork(stem, precision="fp32")(images.numpy()), logits)


def compare_logits(stem: Path, from_onnx: np.ndarray, from_tensors: np.ndarray) -> None:
    """`compare_outputs`, with the tolerance for logits."""
    limit = LOGIT_DIFFERENCE + LOGIT_RELATIVE * float(np.abs(from_tensors).max())
    compare_outputs(stem, from_onnx, from_tensors, limit=limit, unit="of a logit")


def compare_outputs(
    stem: Path, from_onnx: np.ndarray, from_tensors: np.ndarray, *, limit: float, unit: str
) -> None:
    """Compare the outputs of a file's graph and of the network that is read from it.

    Raises:
        WeightsError: the largest difference is above the limit, or no number.
    """
    difference = float(np.abs(from_onnx - from_tensors).max())
    if not difference <= limit:
        raise WeightsError(f"{stem}.onnx: the outputs of its graph and of its tensors differ "
                           f"by {difference:.3g} {unit}, allowed {limit:.3g}")  # fmt: skip


def write_logits_onnx(path: Path, network: nn.Module, info: WeightsInfo, *, half: bool) -> None:
    """Write a network with inputs uint8 (N, C, size, size) and outputs float32 (N, classes)."""
    example = torch.zeros(2, info.channels, info.size, info.size, dtype=torch.uint8)
    dynamic: dict[int, object] = {0: torch.export.Dim("batch", min=1)}
    write_onnx(path, network, example, half=half, dynamic=dynamic, output="logits")


def write_onnx(
    path: Path,
    network: nn.Module,
    example: torch.Tensor,
    *,
    half: bool,
    dynamic: Mapping[int, object],
    output: str,
) -> None:
    """Write a network of one input, "images", and one output, without metadata.

    Args:
        dynamic: the input's axes that may have other lengths than the example's.
    """
    program = torch.onnx.export(
        network.eval(),
        (example,),
        input_names=["images"],
        output_names=[output],
        dynamic_shapes=(dynamic,),
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise WeightsError(f"{path}: the network could not be exported")
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces, with the paths of this machine
    if half:
        halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def describe_onnx(path: Path, info: WeightsInfo) -> None:
    """Write our metadata into an .onnx file, in place of earlier ones."""
    model = onnx.load(path)
    others = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    onnx.save(model, path)


def halve(model: onnx.ModelProto) -> None:
    """Store large tensors in half precision, each behind a cast that engines fold away."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 64:
            name, half = tensor.name, f"{tensor.name}{HALF}"
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
