"""The precision that networks compute in: what a processor has, and the choice by measurement.

With "auto" a network runs once in single precision and once in the lower one that the processor
has units for, when this machine first loads it. It takes the lower one where that saves a tenth of
the time; the choice is kept in the folder for compiled networks, by machine, engine and file.
"""

import hashlib
import importlib
import json
import logging
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from preprocessing.errors import DeviceError, GarmentError
from realtime.runtime.cache import cache_folder
from realtime.runtime.devices import AUTO, SINGLE, openvino_name
from training.inference.archives import replace_file
from training.inference.networks import Layout, Network
from training.inference.weights import sha256

OWN = ""  # what the runtime chooses
SLOW_TO_COMPILE = "tensorrt"  # takes minutes for a network: it is not measured
GAIN = 1.1  # by which the lower precision must be faster
RUNS = 5
SIDE = 256  # pixels of a measured picture's sides, where a network takes any
FILE = "precision.json"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processor:
    """An engine, its device and the CPU threads of a request."""

    engine: str
    device: str
    threads: int = 1

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that it has units for: the full one, then the lower ones, the preferred first."""
        if self.engine == "openvino":
            from training.inference.openvino_network import openvino_precisions

            return openvino_precisions(openvino_name(self.device))
        if self.engine == "torch":
            from training.common.torch_network import torch_precisions

            return torch_precisions(self.device)
        tensorrt = self.device.startswith(SLOW_TO_COMPILE)
        return (SINGLE, "fp16", "bf16") if tensorrt else (SINGLE,)

    def require(self, precision: str) -> None:
        """Check that it has a precision.

        Raises:
            DeviceError: it does not.
        """
        if precision in (AUTO, OWN, SINGLE) or precision in self.precisions:
            return
        raise DeviceError(f"engine {self.engine} has no units for {precision} on {self.device}, "
                          f"but {', '.join(self.precisions)}: use --precision auto")  # fmt: skip


def chosen_precision(
    processor: Processor,
    path: Path,
    layout: Layout,
    load: Callable[[str], Network],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> str:
    """The precision of PRECISIONS in which a network is fastest, or OWN where there is no choice.

    Args:
        path: of its file; layout: of its inputs.
        load: gives the network in a precision.
    """
    have = processor.precisions
    if len(have) < 2 or processor.device.startswith(SLOW_TO_COMPILE):
        return OWN
    key, known = _key(processor, path), _known()
    if known.get(key) in have:
        return known[key]
    found = _measured(path, layout, {name: load(name) for name in have[:2]}, clock)
    if folder := cache_folder():
        with suppress(GarmentError):  # of a full disk: it is measured again
            content = json.dumps(known | {key: found}, indent=1) + "\n"
            replace_file(Path(folder) / FILE, content.encode())
    return found


def known_precision(processor: Processor, path: Path) -> str:
    """The precision that was chosen for a network on this machine; OWN for none."""
    return _known().get(_key(processor, path), OWN)


def _measured(
    path: Path, layout: Layout, networks: dict[str, Network], clock: Callable[[], float]
) -> str:
    """The faster precision of two, the full one and a lower one, by the median of some runs."""
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(RUNS + 1):  # alternating: other programs slow both down
        for name, network in networks.items():
            sample = _sample(network, layout)
            start = clock()
            network(sample)
            times[name].append(clock() - start)
    full, lower = (1000 * statistics.median(one[1:]) for one in times.values())  # the first warms
    first, second = networks
    found = second if full >= GAIN * lower else first
    logger.info("%s computes in %s: %.2f ms in %s, %.2f in %s; measured once, --precision sets it",
                path.stem, found, full, first, lower, second)  # fmt: skip
    return found


def _sample(network: Network, layout: Layout) -> np.ndarray:
    if layout is Layout.FRAMES:
        return np.full((1, SIDE, SIDE, 3), 128, np.uint8)
    batch, *sides = network.input
    return np.full((max(batch, 1), *(side if side > 0 else SIDE for side in sides)), 128, np.uint8)


def _known() -> dict[str, str]:
    """The choices of before, by their keys; none from a file that is damaged."""
    with suppress(OSError, ValueError):
        found = json.loads((Path(cache_folder()) / FILE).read_text())
        if isinstance(found, dict):
            return {str(key): str(value) for key, value in found.items()}
    return {}


def _key(processor: Processor, path: Path) -> str:
    version = importlib.import_module(processor.engine).__version__
    parts = (processor.engine, version, processor.device, processor.threads, sha256(path), _cpu())
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


@cache
def _cpu() -> str:
    """The CPU's name and its instruction sets."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        wanted = ("model name", "flags", "Features")
        return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
    return f"{platform.machine()} {platform.processor()}"
