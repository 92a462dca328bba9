"""The operators of the published .onnx files in torch: OPERATORS, by their ONNX names.

Each takes an operator's inputs, None for one that is left out, and its attributes, and gives its
outputs. What the files do not use is refused: see `run`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Attributes = dict[str, Any]
Operator = Callable[..., Tensor | Sequence[Tensor]]
DTYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16}
DEFAULTS = {"auto_pad": b"NOTSET", "ceil_mode": 0, "storage_order": 0, "alpha": 1.0, "beta": 1.0}


def run(name: str, inputs: Sequence[Tensor | None], attributes: Attributes) -> Sequence[Tensor]:
    """The outputs of an operator.

    Raises:
        NotImplementedError: there is none of that name, or not with these attributes.
    """
    if name not in OPERATORS:
        raise NotImplementedError(f"operator {name} is not known to the engine torch")
    for key, value in DEFAULTS.items():
        if attributes.get(key, value) != value:
            raise NotImplementedError(f"operator {name} with {key} {attributes[key]!r}")
    found = OPERATORS[name](attributes, *inputs)
    return [found] if isinstance(found, Tensor) else found


def values(tensor: Tensor) -> list[float]:
    """The numbers of a tensor, which is on the CPU where they are a shape or scales."""
    return tensor.reshape(-1).tolist()


def numbers(tensor: Tensor) -> list[int]:
    """The integers of a tensor."""
    return [int(value) for value in values(tensor)]


def _pads(attributes: Attributes) -> list[int]:
    """The symmetric padding of a pooling.

    Raises:
        NotImplementedError: it is not symmetric.
    """
    pads = list(attributes.get("pads", (0, 0, 0, 0)))
    if pads[:2] != pads[2:]:
        raise NotImplementedError(f"padding {pads}")
    return pads[:2]


def _conv(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    even = (top, left) == (bottom, right)
    if not even:
        x = F.pad(x, (left, right, top, bottom))
    return F.conv2d(
        x,
        weight,
        bias,
        stride=attributes.get("strides", [1, 1]),
        padding=(top, left) if even else 0,
        dilation=attributes.get("dilations", [1, 1]),
        groups=attributes.get("group", 1),
    )


def _max_pool(attributes: Attributes, x: Tensor) -> Tensor:
    return F.max_pool2d(
        x, attributes["kernel_shape"], attributes.get("strides", [1, 1]), _pads(attributes)
    )


def _average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    return F.avg_pool2d(
        x,
        attributes["kernel_shape"],
        attributes.get("strides", [1, 1]),
        _pads(attributes),
        count_include_pad=bool(attributes.get("count_include_pad", 0)),
    )


def _batch_normalisation(
    attributes: Attributes, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    epsilon = attributes.get("epsilon", 1e-5)
    return F.batch_norm(x, mean, variance, scale, bias, training=False, eps=epsilon)


def _gemm(attributes: Attributes, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    a = a.t() if attributes.get("transA") else a
    return torch.addmm(c, a, b.t() if attributes.get("transB") else b)


def _cast(attributes: Attributes, x: Tensor) -> Tensor:
    """Of floating point in the precision that the network runs in, whatever the file says."""
    wanted = DTYPES[attributes["to"]]
    return x if x.is_floating_point() and wanted.is_floating_point else x.to(wanted)


def _clip(
    attributes: Attributes, x: Tensor, low: Tensor | None = None, high: Tensor | None = None
) -> Tensor:
    return torch.clamp(x, low, high)


def _reshape(attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    sides = numbers(shape)
    if not attributes.get("allowzero"):
        sides = [x.shape[axis] if side == 0 else side for axis, side in enumerate(sides)]
    return x.reshape(sides)


def _unsqueeze(attributes: Attributes, x: Tensor, axes: Tensor) -> Tensor:
    dimensions = x.dim() + axes.numel()
    for axis in sorted(axis % dimensions for axis in numbers(axes)):
        x = x.unsqueeze(axis)
    return x


def _squeeze(attributes: Attributes, x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(numbers(axes)))


def _shape(attributes: Attributes, x: Tensor) -> Tensor:
    return torch.tensor(x.shape[attributes.get("start", 0) : attributes.get("end")])


def _gather(attributes: Attributes, x: Tensor, indices: Tensor) -> Tensor:
    axis = attributes.get("axis", 0) % x.dim()
    flat = x.index_select(axis, indices.reshape(-1) % x.shape[axis])
    return flat.reshape([*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]])


def _slice(
    attributes: Attributes,
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    first, beyond = numbers(starts), numbers(ends)
    along = range(len(first)) if axes is None else numbers(axes)
    every = [1] * len(first) if steps is None else numbers(steps)
    for axis, start, end, step in zip(along, first, beyond, every, strict=True):
        places, last = range(x.shape[axis])[start:end:step], x.shape[axis] - 1
        if step < 0:  # which torch's slices have not; a list of places would have to be copied
            x, places = x.flip(axis), range(last - places.start, last - places.stop, -step)
        before = (slice(None),) * (axis % x.dim())
        x = x[(*before, slice(places.start, places.stop, places.step))]
    return x


def _split(attributes: Attributes, x: Tensor, sizes: Tensor) -> Sequence[Tensor]:
    return torch.split(x, numbers(sizes), dim=attributes.get("axis", 0))


def _resize(
    attributes: Attributes, x: Tensor, region: Tensor | None, scales: Tensor, *sizes: Tensor
) -> Tensor:
    wanted = {"mode": b"nearest", "coordinate_transformation_mode": b"asymmetric",
              "nearest_mode": b"floor"}  # fmt: skip
    if sizes or any(attributes.get(key) != value for key, value in wanted.items()):
        raise NotImplementedError(f"operator Resize with {attributes}")
    return F.interpolate(x, scale_factor=values(scales)[2:], mode="nearest")


def _mean(attributes: Attributes, x: Tensor, axes: Tensor) -> Tensor:
    return x.mean(dim=numbers(axes), keepdim=bool(attributes.get("keepdims", 1)))


def _filled(attributes: Attributes, shape: Tensor) -> Tensor:
    value = attributes["value"]
    return torch.full(numbers(shape), values(value)[0], dtype=value.dtype)


def _expand(attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    return x.expand(np.broadcast_shapes(tuple(x.shape), tuple(numbers(shape))))


def _range(attributes: Attributes, start: Tensor, end: Tensor, step: Tensor) -> Tensor:
    (first,), (beyond,), (each,) = values(start), values(end), values(step)
    return torch.arange(first, beyond, each, dtype=start.dtype)


OPERATORS: dict[str, Operator] = {
    "Add": lambda attributes, a, b: a + b,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalisation,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda attributes, *parts: torch.cat(parts, dim=attributes["axis"]),
    "Constant": lambda attributes: attributes["value"],
    "ConstantOfShape": _filled,
    "Conv": _conv,
    "Div": lambda attributes, a, b: a / b if a.is_floating_point() else a // b,
    "Expand": _expand,
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": lambda attributes, a, b: a @ b,
    "MaxPool": _max_pool,
    "Mul": lambda attributes, a, b: a * b,
    "Range": _range,
    "ReduceMean": _mean,
    "Relu": lambda attributes, x: torch.relu(x),
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _shape,
    "Sigmoid": lambda attributes, x: torch.sigmoid(x),
    "Slice": _slice,
    "Softmax": lambda attributes, x: torch.softmax(x, dim=attributes.get("axis", -1)),
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": lambda attributes, a, b: a - b,
    "Transpose": lambda attributes, x: x.permute(attributes["perm"]),
    "Unsqueeze": _unsqueeze,
}
