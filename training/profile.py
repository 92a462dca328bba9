"""What a network costs: `python -m training.profile --model deep`.

Parameters and multiply-accumulates by layer (1 MAC = 2 FLOPs), receptive field, file size, peak
memory, and measured time on each engine.
"""

import argparse
import json
import math
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from training.classification.recipes import RECIPES
from training.common.checkpoints import load_network, load_run, save_network
from training.export import write_onnx
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.shape import Shape
from training.inference.weights import WeightsInfo
from training.models import MODELS

BATCHES = (1, 4, 16)
ENGINES = ("openvino", "torch")
WARM_UP, CALLS, SECONDS = 5, 200, 3.0  # measured calls: at most so many, at most so long
PHOTO_SIDE = 224  # pixels of a bare backbone's input
SEEN = 0.0455  # of the strongest gradient, above which a pixel counts (Luo et al. 2017)


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
        receptive_field: pixels, by the strides and kernels on the longest way.
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
    """Side in pixels of what one last feature sees, by kernels, strides and dilations.

    Follows the exported graph; where ways meet the widest counts. Global pooling, as in
    squeeze-and-excitation, sees everything in principle and is left out.
    """
    graph = torch.export.export(network.eval(), (image,)).graph
    seen: dict[torch.fx.Node, tuple[int, int] | None] = {}  # field and distance between neighbours
    widest = 1
    for node in graph.nodes:
        ways = [seen[arg] for arg in node.all_input_nodes if seen.get(arg)]
        state = max(ways, default=(1, 1) if node.op == "placeholder" else None)
        window = _window(node)
        if window == "global":
            state = None
        elif window and state:
            kernel, stride, dilation = window
            field, step = state
            state = (field + (kernel - 1) * dilation * step, step * stride)
            widest = max(widest, state[0])
        seen[node] = state
    return widest


def _window(node: torch.fx.Node) -> tuple[int, int, int] | str | None:
    """Kernel, stride and dilation of a node that looks at neighbours; "global" if at all."""
    name = str(node.target)
    if "adaptive_avg_pool" in name or ".mean." in name:
        return "global"
    if "conv2d" in name or "convolution" in name:
        kernel = node.args[1].meta["val"].shape[-1]
        stride, _, dilation = (*node.args[3:6], *((1, 0, 1)[max(0, len(node.args) - 3) :]))
        return kernel, _first(stride), _first(dilation)
    if "pool2d" in name:
        kernel = _first(node.args[1])
        stride = _first(node.args[2]) if len(node.args) > 2 and node.args[2] else kernel
        return kernel, stride, 1
    return None


def _first(value: int | Sequence[int]) -> int:
    return value[0] if isinstance(value, (list, tuple)) else value


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
    strength = pixels.grad.abs().mean(dim=(0, 1))
    return math.sqrt(float((strength > SEEN * strength.max()).sum()))


def measure(engine: str, stem: Path, threads: int) -> tuple[list[Timing], float]:
    """Timings at every batch size, and the peak memory in megabytes, in a process of their own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measure_here, (engine, stem, threads))


def _measure_here(engine: str, stem: Path, threads: int) -> tuple[list[Timing], float]:
    info = weights.read_info(stem.with_suffix(".safetensors"))
    if engine == "openvino":
        call = OpenVinoNetwork(stem, threads=threads)
    else:
        call = _torch(stem, info, threads)
    rng, timings = np.random.default_rng(0), []
    for batch in BATCHES:
        images = rng.integers(0, 256, (batch, info.channels, info.size, info.size), np.uint8)
        times: list[float] = []
        while len(times) < WARM_UP + CALLS and sum(times) < SECONDS:
            start = time.perf_counter()
            call(images)
            times.append(time.perf_counter() - start)
        low, median, high = 1000 * np.percentile(times[WARM_UP:], (5, 50, 95))
        timings.append(Timing(engine, batch, median, low, high, 1000 * batch / median))
    return timings, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _torch(stem: Path, info: WeightsInfo, threads: int):
    torch.set_num_threads(threads)
    network = load_network(stem, info).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def call(images: np.ndarray) -> None:
        network(torch.from_numpy(images))

    return call


def profile(
    network: nn.Module, name: str, info: WeightsInfo, *, engines: Sequence[str], threads: int
) -> Profile:
    """Count and measure a network that `info` describes."""
    shape = info.shape
    image = torch.zeros(1, shape.channels, shape.size, shape.size)
    timings, peaks = [], {}
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "network"
        save_network(stem, network, info, half=False)
        write_onnx(stem.with_suffix(".onnx"), network, info, half=False)
        megabytes = stem.with_suffix(".safetensors").stat().st_size / 1e6
        for engine in engines:
            found, peaks[engine] = measure(engine, stem, threads)
            timings += found
    return Profile(
        name=name,
        size=shape.size,
        channels=shape.channels,
        parameters=sum(p.numel() for p in network.parameters()),
        macs=count_macs(network, image),
        receptive_field=receptive_field(network, image),
        effective_field=effective_field(network, shape),
        file_megabytes=megabytes,
        peak_megabytes=peaks,
        timings=tuple(timings),
        layers=tuple(layers_of(network, image)),
    )


def load(model: str, size: int | None) -> tuple[nn.Module, WeightsInfo]:
    """A committed model, a weight file, a run folder, or a network's name with random weights.

    Raises:
        WeightsError, UsageError: no such thing, or a size that its weights do not fit.
    """
    if model in MODELS and model not in weights.read_manifest():
        # A network that is not called by a recipe's name is a backbone for photos.
        recipe = RECIPES.get(model)
        shape = recipe.shape(10) if recipe else Shape(10, size=PHOTO_SIDE, channels=3)
        shape = replace(shape, size=size or shape.size)
        network = MODELS[model](shape, dropout=0.0).eval()
        names = tuple(str(number) for number in range(shape.classes))
        info = describe(model, names, shape)
        return network, info
    if Path(model).is_dir():
        network, recipe, config = load_run(Path(model))
        info = describe(
            recipe.network, tuple(config["classes"]), recipe.shape(len(config["classes"]))
        )
    else:
        stem, info = weights.locate(model)
        network = load_network(stem, info)
    if size and size != info.size:
        raise UsageError(f"{model} takes {info.size} pixels, not {size}: name a bare network")
    return network, info


def describe(network: str, classes: tuple[str, ...], shape: Shape) -> WeightsInfo:
    """Metadata of weights that are measured, not published."""
    return WeightsInfo(
        name=network, network=network, classes=classes, cut="", size=shape.size,
        channels=shape.channels, mean=(), std=(), temperature=1.0, head=shape.head,
    )  # fmt: skip


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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.profile",
        description="Count a network's parameters and multiply-accumulates, and measure its time.",
    )
    add = parser.add_argument
    add("--model", required=True, help="committed model, weight file, run folder or network's name")
    add("--image-size", type=int, metavar="N", help="input of a bare network (default that of its "
        f"recipe, else {PHOTO_SIDE})")  # fmt: skip
    add("--engine", choices=(*ENGINES, "all"), default="all", help="to measure (default all)")
    add("--threads", type=int, default=1, help="of the engine (default 1)")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE too")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.threads < 1 or (args.image_size is not None and args.image_size < 8):
        raise UsageError("--threads must be at least 1 and --image-size at least 8")
    network, info = load(args.model, args.image_size)
    engines = ENGINES if args.engine == "all" else (args.engine,)
    found = profile(network, args.model, info, engines=engines, threads=args.threads)
    print(as_text(found))
    if args.json:
        args.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
