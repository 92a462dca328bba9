"""The tensors of a torch network inside its published .onnx file, from which training starts.

A graph holds most of them as they are. Where a batch normalisation was folded into a convolution,
it holds that one's weights times a scale, and one bias. So the file's training information, which
runtimes leave alone, has what the graph lacks: `initialization_binding` names the graph's tensor of
each of the network's, and `initialization` holds the others, such as the statistics. NAME.scale and
NAME.shift there make NAME out of the graph's tensor, so that both networks are one function.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from preprocessing.errors import UsageError

HALF = "_half"  # at the end of a graph's name that stands for numbers in half precision
GRAPH, SCALE, SHIFT = "training", ".scale", ".shift"
ROUNDING = 1e-3  # of half precision, relative
FITTING = 1e-2  # of the right layer's scales; those of another one differ by the whole
NORMAL = 1e-4  # half precision rounds smaller numbers more
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class _Fold:
    """A batch normalisation after a layer, as float64 of each channel.

    Attributes:
        name: of the batch normalisation.
        gain: by what it multiplies; mean: what it takes off before; `layer.bias` is added after.
    """

    name: str
    gain: np.ndarray
    mean: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """The factor that undoes the gain."""
        return np.divide(1, self.gain, out=np.zeros_like(self.gain), where=self.gain != 0)


def add_tensors(path: Path, network: nn.Module, *, half: bool) -> None:
    """Make an .onnx file hold all of the network that it was written from.

    Args:
        half: store numbers that the graph lacks in half precision.
    """
    model = onnx.load(path)
    state = {key: _array(tensor, half=half) for key, tensor in network.state_dict().items()}
    bound, stored = _parted(model, state, list(_folds(network, state)))
    del model.training_info[:]
    added = model.training_info.add()
    added.initialization.name = GRAPH
    for key, name in bound.items():
        binding = added.initialization_binding.add()
        binding.key, binding.value = key, name
    for key, values in stored.items():
        exact = key.endswith((SCALE, SHIFT)) or not half or values.dtype != np.float32
        values = values if exact else values.astype(np.float16)
        added.initialization.initializer.append(numpy_helper.from_array(values, key))
    onnx.save(model, path)


def read_onnx_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of the network that an .onnx file was written from, in single precision.

    Raises:
        OSError: there is no such file.
        ValueError: it holds none, or they do not belong to its graph.
        Exception: of protobuf, where the file is damaged.
    """
    model = onnx.load(path)
    if not model.training_info:
        raise ValueError("it holds no tensors to train from: export its run again")
    added, graph = model.training_info[0], _graph_tensors(model)
    found = {one.name: numpy_helper.to_array(one) for one in added.initialization.initializer}
    for binding in added.initialization_binding:
        if binding.value not in graph:
            raise ValueError(f"it lacks {binding.value}")
        values = graph[binding.value].astype(np.float32)
        scale, shift = (found.pop(f"{binding.key}{end}", None) for end in (SCALE, SHIFT))
        values = values if scale is None else values * _along(scale, values)
        found[binding.key] = values if shift is None else values + shift
    return {key: _tensor(values) for key, values in found.items()}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a weight file, .onnx or, as another program may write it, .safetensors.

    Raises:
        UsageError: it is none.
    """
    try:
        return load_file(path) if path.suffix == ".safetensors" else read_onnx_tensors(path)
    except Exception as error:  # of onnx and protobuf, which have no other base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"{path} is no weight file to start from ({reason}): give an .onnx file that "
            "training.export wrote"
        ) from error


def _parted(
    model: onnx.ModelProto, state: Arrays, folds: list[_Fold]
) -> tuple[dict[str, str], Arrays]:
    """The graph's names of a network's tensors, and what must be stored beside the graph."""
    graph, biases = _graph_tensors(model), _biases(model)
    names = {key: name for key in state if (name := _name_of(key, graph))}
    bound = {key: name for key, name in names.items() if _same(graph[name], state[key])}
    stored = {key: values for key, values in state.items() if key not in bound}
    for key in [key for key in names if key not in bound]:
        fold = _fold_of(graph[names[key]], state[key], folds)
        if fold is None:
            continue
        bound[key] = names[key]
        stored[f"{key}{SCALE}"] = fold.scale.astype(np.float32)
        del stored[key]
        if bias := biases.get(names[key]):
            before = state.get(f"{key.removesuffix('weight')}bias", np.float32(0))
            bound[f"{fold.name}.bias"] = bias
            stored[f"{fold.name}.bias{SHIFT}"] = ((fold.mean - before) * fold.gain).astype("f4")
            stored.pop(f"{fold.name}.bias", None)
    return bound, stored


def _name_of(key: str, graph: Arrays) -> str | None:
    """A graph's tensor by a network's name, which may be part of a larger one's."""
    plain = {name.removesuffix(HALF): name for name in graph}
    return plain.get(key) or next((plain[one] for one in plain if one.endswith(f".{key}")), None)


def _same(held: np.ndarray, values: np.ndarray) -> bool:
    """True for numbers that differ by rounding to half precision at most."""
    return held.shape == values.shape and np.allclose(
        held.astype(values.dtype), values, rtol=ROUNDING, atol=ROUNDING * NORMAL
    )


def _fold_of(held: np.ndarray, values: np.ndarray, folds: list[_Fold]) -> _Fold | None:
    """The batch normalisation that was folded into weights."""
    if held.shape != values.shape or values.ndim < 2:
        return None
    fitting = [one for one in folds if len(one.gain) == len(values)]
    errors = [_error(held * _along(one.scale, held), held, values) for one in fitting]
    return fitting[int(np.argmin(errors))] if errors and min(errors) <= FITTING else None


def _error(found: np.ndarray, held: np.ndarray, values: np.ndarray) -> float:
    """The largest relative error of a channel whose numbers half precision holds well."""
    found, held, values = (np.abs(one).reshape(len(values), -1).max(axis=1)
                           for one in (found - values, held, values))  # fmt: skip
    normal = (held > NORMAL) & (values > NORMAL)
    return float((found[normal] / values[normal]).max(initial=0))


def _folds(network: nn.Module, state: Arrays) -> Iterator[_Fold]:
    for name, layer in network.named_modules():
        if isinstance(layer, _BatchNorm) and layer.affine and f"{name}.running_var" in state:
            weight, mean, variance = (
                state[f"{name}.{part}"].astype(float)
                for part in ("weight", "running_mean", "running_var")
            )
            yield _Fold(name, weight / np.sqrt(variance + layer.eps), mean)


def _biases(model: onnx.ModelProto) -> dict[str, str]:
    """The names of the biases of a graph's layers by those of their weights."""
    casts = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    return {
        casts.get(weight, weight): casts.get(bias, bias)
        for node in model.graph.node
        if node.op_type in ("Conv", "Gemm") and len(node.input) > 2
        for _, weight, bias in [node.input]
    }


def _graph_tensors(model: onnx.ModelProto) -> Arrays:
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


def _array(tensor: Tensor, *, half: bool) -> np.ndarray:
    """A tensor's numbers as the file will hold them, in single precision."""
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor.numpy()
    return (tensor.half() if half else tensor).float().numpy()


def _tensor(values: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(values.copy())
    return tensor.float() if tensor.is_floating_point() else tensor


def _along(scale: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A factor of each output channel in the shape of a layer's weights."""
    return scale.reshape(-1, *(1,) * (values.ndim - 1))
