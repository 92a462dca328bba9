"""Profiles of networks: parameters and multiply-accumulates by layer (1 MAC = 2 FLOPs), receptive
field, file size, peak memory, and measured time on each engine.
"""

import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from preprocessing.processes import peak_memory
from training.common.checkpoints import load_network
from training.common.export_weights import count_parameters, describe_onnx, write_logits_onnx
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import Shape, WeightsInfo
from training.models.onnx_tensors import add_tensors

BATCHES = (1, 4, 16)
ENGINES = ("openvino", "torch")
WARM_UP = 5  # calls that are not measured, however long they take
FEWEST, CALLS, SECONDS = 5, 200, 3.0  # measured calls: as many as SECONDS hold, within these
REACHED = 0.0455  # of the strongest gradient, above which a pixel counts (Luo et al. 2017)


@dataclass(frozen=True)
class Layer:
    """A layer with weights: its name in the network, parameters and multiply-accumulates."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True)
class Timing:
    """Measured calls of one engine at one batch size; milliseconds a call."""

    engine: str
    batch: int
    median: float
    low: float  # 5th percentile
    high: float  # 95th percentile
    images_per_second: float


@dataclass(frozen=True)
class Profile:
    """Everything measured about a network at one input size.

    Attributes:
        macs: multiply-accumulates of one image.
        receptive_field: pixels, by the strides and kernels on the longest path.
        effective_field: pixels, side of the square as large as the area that gradients reach.
        peak_megabytes: of a process that does nothing but run the network, by engine.
    """

    name: str
    size: int
    channels: int
    parameters: int
    macs: int
    receptive_field: int
    effective_field: float
    file_megabytes: float
    peak_megabytes: dict[str, float]
    timings: tuple[Timing, ...]
    layers: tuple[Layer, ...]


def layers_of(network: nn.Module, image: torch.Tensor) -> list[Layer]:
    """Every layer with its own weights, in order, for one image (1, C, S, S)."""
    counted = _count(network, image).get_flop_counts()
    counts = {name: sum(found.values()) for name, found in counted.items()}
    root = type(network).__name__
    return [
        Layer(name, sum(p.numel() for p in module.parameters()), counts[f"{root}.{name}"] // 2)
        for name, module in network.named_modules()
        if f"{root}.{name}" in counts and not any(module.children())
    ]


def count_macs(network: nn.Module, image: torch.Tensor) -> int:
    """Multiply-accumulates of a network for one image (1, C, S, S): half its FLOPs."""
    return _count(network, image).get_total_flops() // 2


def _count(network: nn.Module, image: torch.Tensor) -> FlopCounterMode:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(image)
    return counter


def receptive_field(network: nn.Module, image: torch.Tensor) -> int:
    """Side in pixels of the input of one last feature, by kernels, strides and dilations.

    Follows the exported graph; where paths meet the widest counts. Global pooling, as in
    squeeze-and-excitation, reaches everything in principle and is left out.
    """
    graph = torch.export.export(network.eval(), (image,)).graph
    fields: dict[torch.fx.Node, tuple[int, int] | None] = {}  # and distance between neighbours
    widest = 1
    for node in graph.nodes:
        paths = [known for arg in node.all_input_nodes if (known := fields.get(arg))]
        state = max(paths, default=(1, 1) if node.op == "placeholder" else None)
        window = _window(node)
        if _pools_globally(node):
            state = None
        elif window and state:
            kernel, stride, dilation = window
            field, step = state
            state = (field + (kernel - 1) * dilation * step, step * stride)
            widest = max(widest, state[0])
        fields[node] = state
    return widest


def _pools_globally(node: torch.fx.Node) -> bool:
    name = str(node.target)
    return "adaptive_avg_pool" in name or ".mean." in name


def _window(node: torch.fx.Node) -> tuple[int, int, int] | None:
    """Kernel, stride and dilation of a convolution or of a local pooling."""
    name = str(node.target)
    if "conv2d" in name or "convolution" in name:
        kernel = node.all_input_nodes[1].meta["val"].shape[-1]
        stride, _, dilation = list(node.args[3:6]) + [1, 0, 1][max(0, len(node.args) - 3) :]
        return kernel, _first(stride), _first(dilation)
    if "pool2d" in name and not _pools_globally(node):
        kernel = _first(node.args[1])
        stride = _first(node.args[2]) if len(node.args) > 2 and node.args[2] else kernel
        return kernel, stride, 1
    return None


def _first(value: object) -> int:
    """A number of a node's arguments that is the same for both axes."""
    first = value[0] if isinstance(value, (list, tuple)) else value
    if not isinstance(first, int):
        raise TypeError(f"wanted a whole number, got {value!r}")
    return first


def effective_field(network: nn.Module, shape: Shape, *, images: int = 8) -> float:
    """Side in pixels of the square as large as the area whose gradients reach a central feature.

    Luo et al. 2017, arXiv 1701.04128; over random images and all channels.
    """
    network = network.eval()
    last = [m for m in network.modules() if isinstance(m, nn.Conv2d)][-1]
    kept: list[torch.Tensor] = []
    hook = last.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    generator = torch.Generator().manual_seed(0)
    side = (images, shape.channels, shape.size, shape.size)
    pixels = 255 * torch.rand(side, generator=generator).requires_grad_()
    pixels.retain_grad()
    network(pixels)
    hook.remove()
    features = kept[0]
    features[..., features.shape[-2] // 2, features.shape[-1] // 2].sum().backward()
    if pixels.grad is None:
        raise ValueError("the network's features do not depend on its input")
    strength = pixels.grad.abs().mean(dim=(0, 1))
    return math.sqrt(float((strength > REACHED * strength.max()).sum()))


def measure(engine: str, stem: Path, threads: int) -> tuple[list[Timing], float]:
    """Timings at every batch size, and the peak memory in megabytes, in a process of their own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measure_here, (engine, stem, threads))


def _measure_here(engine: str, stem: Path, threads: int) -> tuple[list[Timing], float]:
    info = weights.read_info(stem.with_suffix(".onnx"))
    call: Callable[[np.ndarray], object] = (
        OpenVinoNetwork(stem, threads=threads)
        if engine == "openvino"
        else _torch_call(stem, info, threads)
    )
    rng, timings = np.random.default_rng(0), []
    for batch in BATCHES:
        images = rng.integers(0, 256, (batch, info.channels, info.size, info.size), np.uint8)
        low, median, high = 1000 * np.percentile(timed(partial(call, images)), (5, 50, 95))
        timings.append(Timing(engine, batch, median, low, high, 1000 * batch / median))
    return timings, peak_memory()


def timed(call: Callable[[], object]) -> list[float]:
    """Seconds of each call after a warm-up: FEWEST of them or more, on a machine of any speed."""
    for _ in range(WARM_UP):
        call()
    times: list[float] = []
    while len(times) < FEWEST or (len(times) < CALLS and sum(times) < SECONDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def _torch_call(stem: Path, info: WeightsInfo, threads: int) -> Callable[[np.ndarray], object]:
    torch.set_num_threads(threads)
    network = load_network(stem, info).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def call(images: np.ndarray) -> None:
        network(torch.from_numpy(images))

    return call


def describe(network: str, shape: Shape) -> WeightsInfo:
    """Metadata of a row of MODELS that is measured, not published."""
    return WeightsInfo(
        name=network, network=network, classes=tuple(map(str, range(shape.classes))),
        network_input="", size=shape.size, channels=shape.channels, mean=(), std=(),
        temperature=1.0, head=shape.head,
    )  # fmt: skip


def profile(
    network: nn.Module, name: str, info: WeightsInfo, *, engines: Sequence[str], threads: int
) -> Profile:
    """Count and measure a network that `info` describes."""
    shape = info.shape
    image = torch.zeros(1, shape.channels, shape.size, shape.size)
    timings, peaks = [], {}
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "network"
        write_logits_onnx(stem.with_suffix(".onnx"), network, info, half=False)
        describe_onnx(stem.with_suffix(".onnx"), info)
        add_tensors(stem.with_suffix(".onnx"), network, half=False)
        megabytes = stem.with_suffix(".onnx").stat().st_size / 1e6
        for engine in engines:
            found, peaks[engine] = measure(engine, stem, threads)
            timings += found
    return Profile(
        name=name,
        size=shape.size,
        channels=shape.channels,
        parameters=count_parameters(network),
        macs=count_macs(network, image),
        receptive_field=receptive_field(network, image),
        effective_field=effective_field(network, shape),
        file_megabytes=megabytes,
        peak_megabytes=peaks,
        timings=tuple(timings),
        layers=tuple(layers_of(network, image)),
    )


def as_text(found: Profile) -> str:
    """The profile as fixed-width text."""
    width = max(len(layer.name) for layer in found.layers)
    lines = [f"{'layer':{width}s} {'parameters':>12s} {'MACs':>14s}"]
    lines += [f"{x.name:{width}s} {x.parameters:12,d} {x.macs:14,d}" for x in found.layers]
    lines += [
        f"{'all':{width}s} {found.parameters:12,d} {found.macs:14,d}  ({2 * found.macs:,d} FLOPs)",
        "",
        f"input {found.channels} x {found.size} x {found.size}, "
        f"receptive field {found.receptive_field} pixels, effective {found.effective_field:.0f}",
        f"file {found.file_megabytes:.2f} MB; peak memory "
        + ", ".join(f"{name} {value:.0f} MB" for name, value in found.peak_megabytes.items()),
        "",
        f"{'engine':10s} batch  median ms  (5 to 95 %)        images/s",
    ]
    lines += [
        f"{t.engine:10s} {t.batch:5d}  {t.median:9.2f}  ({t.low:.2f} to {t.high:.2f})"
        f"{t.images_per_second:16.0f}"
        for t in found.timings
    ]
    return "\n".join(lines)
