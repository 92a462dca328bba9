"""The machine that figures come from: processor, cores, memory, versions."""

import importlib.metadata
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from realtime import __version__
from realtime.bench.speed.measure import ROOT
from realtime.runtime.worker import cores

CPU_INFO = Path("/proc/cpuinfo")
# By the flag of /proc/cpuinfo: units that decide how fast networks run.
UNITS = {
    "avx2": "AVX2", "avx512f": "AVX-512", "avx_vnni": "AVX-VNNI", "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 bf16", "amx_bf16": "AMX bf16", "amx_int8": "AMX INT8",
}  # fmt: skip
MATRIX_UNITS = ("AVX-VNNI", "AVX-512 VNNI", "AMX bf16", "AMX INT8")
LIMITING = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
PACKAGES = (
    "openvino", "onnxruntime", "torch", "ultralytics", "supervision", "opencv-python", "av",
    "numpy",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """A machine, as the page shows it.

    Attributes:
        cpu: the processor's name; units: its vector and matrix units.
        cores: that a process may use.
        memory_gb: of the machine; 0 where it is unknown.
        gpu: names of NVIDIA cards; "" for none.
        versions: of packages by name.
        commit: of the code; "" outside a repository.
        environment: variables that limit threads, as they are set; "" for none.
    """

    cpu: str
    units: tuple[str, ...]
    cores: int
    memory_gb: float
    gpu: str
    system: str
    versions: dict[str, str]
    commit: str
    environment: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """The matrix and INT8 units that the processor does not have."""
        return tuple(name for name in MATRIX_UNITS if name not in self.units)


def this_machine() -> Machine:
    """The machine that runs this process."""
    text = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    model, units = read_cpu(text)
    return Machine(
        cpu=model or platform.processor() or platform.machine(),
        units=units,
        cores=cores(),
        memory_gb=_memory_gb(),
        gpu=_output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        versions={"this app": __version__, **_versions()},
        commit=_output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        environment=" ".join(
            f"{name}={os.environ[name]}" for name in LIMITING if name in os.environ
        ),
    )


def read_cpu(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the units of a processor, from the text of /proc/cpuinfo."""
    fields = {
        name: (re.search(rf"^{name}\s*:\s*(.*)$", text, re.MULTILINE) or ["", ""])[1]
        for name in ("model name", "flags")
    }
    flags = set(fields["flags"].split())
    return fields["model name"], tuple(name for flag, name in UNITS.items() if flag in flags)


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, OSError, ValueError):  # Windows
        return 0.0


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _output(*command: str) -> str:
    """The output of a command on one line; "" if it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(done.stdout.split("\n")).strip(", ")
