"""A published .onnx file on torch: its graph, run operator by operator on a device.

So every network runs there, whatever package it was trained by, in half precision on a GPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import torch
from torch import Tensor

from preprocessing.errors import DeviceError
from training.common.hardware import has_bf16_units
from training.common.onnx_operators import Attributes, run
from training.common.torch_graphs import Replayed
from training.inference.networks import (
    Layout,
    NetworkFile,
    feature_names,
    load_error,
    memory_errors,
    read_onnx,
)

# Operators that compute in half precision; what follows keeps it, but where numbers are added that
# need more, such as the places of a detector's cells in pixels.
PRODUCTS = ("Conv", "Gemm", "MatMul")
CUDA = "cuda"
HALF = (CUDA, "mps")  # devices that compute faster in half precision
REPLAYING = (CUDA,)  # devices that replay recorded operators
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
PICTURES = 4  # dimensions of arrays (N, C, H, W)
SHAPE = "Shape"  # the operator whose output depends on the input's shape alone
GATHER = "Gather"


class TorchOptions(TypedDict, total=False):
    """How a network runs.

    Attributes:
        device: torch's name of it, such as cpu, cuda:1 or mps.
        threads: CPU threads of one request; 0 for all cores.
        precision: a name of PRECISIONS; "" for half on a GPU, single on the CPU.
    """

    device: str
    threads: int
    precision: str


@dataclass(frozen=True, eq=False)
class _Node:
    """An operator of a graph, with the names of its inputs, "" for one left out, and outputs."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Attributes


class TorchNetwork(NetworkFile):
    """A network with one input; any number of threads may call it at the same time.

    Args:
        stem: path of the file without its suffix; kind: the suffix.
        layout: FRAMES converts pixels on the device.
        options: see `TorchOptions`.

    Attributes:
        input, output: the file's shapes, -1 for a dynamic axis.

    Raises:
        WeightsError: the file is damaged.
        DeviceError: there is not enough memory, or onnx is not installed.
    """

    def __init__(
        self,
        stem: Path,
        *,
        kind: str = ".onnx",
        layout: Layout = Layout.AS_FILED,
        features: bool = False,
        **options: Unpack[TorchOptions],
    ):
        super().__init__(stem.with_suffix(kind))
        self._layout = layout
        self._device = torch.device(options.get("device", "cpu"))
        own = "fp16" if self._device.type in HALF else "fp32"
        self._float = PRECISIONS[options.get("precision") or own]
        if options.get("threads") and self._device.type == "cpu":
            torch.set_num_threads(options["threads"])
        try:
            self._load(read_onnx(self._path), features=features)
        except DeviceError:
            raise
        except Exception as error:  # of onnx and protobuf, which have no other base
            raise load_error(self._path, error) from error
        # By shape of input: the tensors that follow from it, without the input's content.
        self._by_shape: dict[tuple[int, ...], dict[str, Tensor]] = {}
        self._replayed: dict[int, Replayed] = {}  # by the number of outputs

    def _load(self, model: Any, *, features: bool) -> None:
        graph = model.graph
        self._name, self._outputs = graph.input[0].name, [one.name for one in graph.output]
        if features:
            self._outputs += feature_names(model)
        self.input, self.output = _sides(graph.input[0]), _sides(graph.output[0])
        constants = {one.name: _tensor(one) for one in graph.initializer}
        nodes: list[_Node] = []
        with torch.inference_mode():
            for node in map(_node, graph.node):
                if all(name in constants for name in node.inputs if name):
                    constants |= _outputs_of(node, constants)
                else:
                    nodes.append(node)
            # Scales of a picture are read by the processor that runs Python.
            scales = {name for node in nodes if node.name == "Resize" for name in node.inputs[1:]}
            products = {name for node in nodes if node.name in PRODUCTS for name in node.inputs}
            self._shaped = _by_shape(nodes, set(constants))
            self._places = _places(nodes, {*constants, *self._shaped})
            self._constants = {
                name: value if name in scales else self._placed(name, value, name in products)
                for name, value in constants.items()
            }
        self._nodes = nodes
        self._released = _last_uses(nodes, {*constants, *self._shaped, *self._outputs})

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The first output for an input."""
        with memory_errors(self._path):
            return self._run(array, self._outputs[:1])[0]

    def outputs_for(self, array: np.ndarray) -> list[np.ndarray]:
        """All outputs for an input, in the file's order."""
        with memory_errors(self._path):
            return self._run(array, self._outputs)

    @torch.inference_mode()
    def _run(self, array: np.ndarray, wanted: Sequence[str]) -> list[np.ndarray]:
        given, compute = self._uploaded(array), partial(self._computed, wanted=wanted)
        if self._device.type not in REPLAYING:
            return [one.cpu().numpy() for one in compute(given)]
        if len(wanted) not in self._replayed:
            self._replayed.setdefault(len(wanted), Replayed(compute))
        return [one.numpy() for one in self._replayed[len(wanted)](given)]

    def _computed(self, given: Tensor, wanted: Sequence[str]) -> list[Tensor]:
        """The outputs on the device, float32."""
        shape = tuple(given.shape)
        known = self._by_shape.get(shape)
        values = {**self._constants, **(known or {}), self._name: self._prepared(given)}
        for node, released in zip(self._nodes, self._released, strict=True):
            if known is None or node.outputs[0] not in known:
                found = _outputs_of(node, values, self._float)
                shaped = node.outputs[0] in self._shaped
                values |= {k: self._placed(k, v) for k, v in found.items()} if shaped else found
            for name in released:
                del values[name]
        if known is None:
            self._by_shape[shape] = {name: values[name] for name in self._shaped}
        return [values[name].float() for name in wanted]

    def _uploaded(self, array: np.ndarray) -> Tensor:
        """An array on the device."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self._device.type == CUDA:  # which copies from pinned memory at twice the speed
            tensor = tensor.pin_memory()
        return tensor.to(self._device, non_blocking=True)

    def _prepared(self, tensor: Tensor) -> Tensor:
        """The network's input of an array on the device."""
        if self._layout is Layout.FRAMES:
            tensor = tensor.flip(3).permute(0, 3, 1, 2).float() / 255
        if tensor.dim() == PICTURES:
            tensor = tensor.contiguous(memory_format=torch.channels_last)
        return tensor

    def _placed(self, name: str, value: Tensor, product: bool = False) -> Tensor:
        """Numbers to calculate with, on the device; integers, which are shapes, where they are."""
        if not value.is_floating_point():
            return value.to(self._device) if name in self._places else value
        value = value.to(self._device, self._float if product else torch.float32)
        return (
            value.contiguous(memory_format=torch.channels_last)
            if value.dim() == PICTURES
            else value
        )


def torch_precisions(device: str) -> tuple[str, ...]:
    """Names of PRECISIONS that a device has units for, the full one first."""
    kind = torch.device(device).type
    half, bf16 = kind in HALF, has_bf16_units(kind)
    return ("fp32", *(["fp16"] if half else []), *(["bf16"] if bf16 else []))


def _by_shape(nodes: Sequence[_Node], constants: set[str]) -> set[str]:
    """The outputs that follow from the input's shape, whatever it contains."""
    found: set[str] = set()
    for node in nodes:
        given = {name for name in node.inputs if name}
        if node.name == SHAPE or given <= found | constants:
            found |= set(node.outputs)
    return found


def _places(nodes: Sequence[_Node], known: set[str]) -> set[str]:
    """The integers that are places in what a network computes, and so belong on its device."""
    gathers = [node for node in nodes if node.name == GATHER and node.inputs[0] not in known]
    return {node.inputs[1] for node in gathers}


def _last_uses(nodes: Sequence[_Node], kept: set[str]) -> list[list[str]]:
    """For each node the names that no later one takes, so that their memory is free again."""
    last = {name: at for at, node in enumerate(nodes) for name in (*node.outputs, *node.inputs)}
    released: list[list[str]] = [[] for _ in nodes]
    for name, at in last.items():
        if name and name not in kept:
            released[at].append(name)
    return released


def _outputs_of(
    node: _Node, values: dict[str, Tensor], precision: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    given = [values[name] if name else None for name in node.inputs]
    if node.name in PRODUCTS:
        given = [one if one is None else one.to(precision) for one in given]
    return dict(zip(node.outputs, run(node.name, given, node.attributes), strict=True))


def _node(proto: Any) -> _Node:
    """An onnx.NodeProto."""
    from onnx import TensorProto, helper

    attributes = {one.name: helper.get_attribute_value(one) for one in proto.attribute}
    return _Node(
        proto.op_type,
        tuple(proto.input),
        tuple(proto.output),
        {k: _tensor(v) if isinstance(v, TensorProto) else v for k, v in attributes.items()},
    )


def _tensor(proto: Any) -> Tensor:
    """An onnx.TensorProto."""
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(proto).copy())


def _sides(value: Any) -> tuple[int, ...]:
    """The shape of an onnx.ValueInfoProto, -1 for a dynamic axis."""
    sides = value.type.tensor_type.shape.dim
    return tuple(-1 if side.dim_param or not side.dim_value else side.dim_value for side in sides)
