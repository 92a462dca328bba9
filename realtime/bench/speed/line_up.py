"""The programs that stand side by side: the app on every engine, other programs, and the limits."""

import importlib.util
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from realtime.bench.speed.measure import Command
from realtime.bench.speed.peer_scripts import (
    COPY_LOOP,
    DECODING,
    OPENCV_LOOP,
    RTDETR,
    SUPERVISION,
)
from realtime.bench.speed.peers import (
    FAST,
    PREDICT,
    app,
    checkpoint_of,
    export,
    predict,
    python_script,
)
from realtime.runtime.devices import CPU, DEVICES, devices_of
from training.inference.weights import WeightsInfo, locate

EVERY_FRAME = ("--detection-interval", "every-frame")
# By name: flags of the app, whose engine and device are added.
CONFIGURATIONS: dict[str, tuple[str, ...]] = {
    "default": (),
    "--locate yolo": ("--locate", "yolo", *EVERY_FRAME),
    "--model deep": FAST,
}
OPENVINO_PREDICT, ONNX_PREDICT = "yolo predict, OpenVINO", "yolo predict, ONNX"
COPYING = "OpenCV copy loop, mp4v"
APP, PEER, LIMIT = "app", "peer", "limit"
FEWER = 0.25  # of the frames, for programs that are much slower than the others


@dataclass(frozen=True)
class Program:
    """A program of the line-up.

    Attributes:
        command: from a clip and an output to a command line.
        kind: APP, PEER or LIMIT.
        share: of the frames that it is given.
        note: for the page.
    """

    name: str
    command: Command
    kind: str
    share: float = 1.0
    note: str = ""


@dataclass(frozen=True)
class Absent:
    """A program that cannot be run here, and why."""

    name: str
    reason: str


def app_name(configuration: str, engine: str, device: str = CPU) -> str:
    """The name of the app's row with an engine."""
    return f"{configuration}, {engine}" + ("" if device == CPU else f" on {device}")


def app_programs() -> Iterator[Program | Absent]:
    """The app with each configuration on every engine and device that is here."""
    present = {engine: devices_of(engine) for engine in DEVICES[CPU]}
    for configuration, flags in CONFIGURATIONS.items():
        for engine, devices in present.items():
            if not devices:
                yield Absent(app_name(configuration, engine), f"`pip install {engine}`")
            for device in sorted(devices, key=lambda one: one != CPU):
                command = app(*flags, "--engine", engine, "--device", device)
                yield Program(app_name(configuration, engine, device), command, APP)


def chosen_app(configuration: str) -> Program:
    """The app with a configuration on the engine that it chooses by itself."""
    return Program(configuration, app(*CONFIGURATIONS[configuration]), APP)


def limit_programs() -> Iterator[Program | Absent]:
    """Programs that do less than any analysis must: decoding alone, and copying."""
    yield Program("decoding alone, PyAV, one thread", python_script(DECODING), LIMIT)
    yield Program(COPYING, python_script(OPENCV_LOOP), LIMIT)
    yield Program("PyAV copy loop, H.264, one thread", python_script(COPY_LOOP), LIMIT)


class Detectors:
    """Other programs on the app's own detector; each form of it is exported once.

    Args:
        folder: for the exported files.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._built: dict[str, Program | Absent] = {}
        self._makers: dict[str, Callable[[], Program]] = {
            PREDICT: partial(self._predict, PREDICT, None),
            OPENVINO_PREDICT: partial(self._predict, OPENVINO_PREDICT, "openvino"),
            ONNX_PREDICT: partial(self._predict, ONNX_PREDICT, "onnx"),
            "supervision script, torch": self._supervision,
            "RT-DETR-L loop, torch": self._rtdetr,
        }

    def __iter__(self) -> Iterator[Program | Absent]:
        yield from map(self.program, self._makers)
        installed = importlib.util.find_spec("mmdet") is not None
        reason = "installed, and not measured" if installed else "mmdet is not installed"
        yield Absent("MMDetection loop", f"{reason}: the RT-DETR loop stands for this kind")

    def program(self, name: str) -> Program | Absent:
        """A program by name; why not, where a package lacks or an export fails."""
        if name not in self._built:
            self._built[name] = self._make(name)
        return self._built[name]

    def _make(self, name: str) -> Program | Absent:
        needed = ("ultralytics", "supervision") if "supervision" in name else ("ultralytics",)
        for package in needed:
            if importlib.util.find_spec(package) is None:
                return Absent(name, f"{package} is not installed: `pip install -r "
                                    "tests/requirements-bench.txt`")  # fmt: skip
        try:
            return self._makers[name]()
        except subprocess.CalledProcessError as error:
            return Absent(name, failure(error))

    def _detector(self) -> tuple[Path, WeightsInfo]:
        stem, info = locate("yolo")
        path = self._folder / f"{info.name}.pt"
        return (path if path.exists() else checkpoint_of(self._folder, stem, info)), info

    def _predict(self, name: str, form: str | None) -> Program:
        checkpoint, info = self._detector()
        model = export(checkpoint, info, form) if form else checkpoint
        return Program(name, predict(model, info), PEER)

    def _supervision(self) -> Program:
        checkpoint, info = self._detector()
        script = SUPERVISION.format(
            model=str(checkpoint), size=info.size, confidence=info.confidence
        )
        return Program("supervision script, torch", python_script(script), PEER)

    def _rtdetr(self) -> Program:
        _, info = locate("yolo")
        script = RTDETR.format(size=info.size)
        note = f"weights at random, {info.size} pixels as the others: honest as to speed alone"
        return Program("RT-DETR-L loop, torch", python_script(script), PEER, FEWER, note)


def failure(error: subprocess.SubprocessError) -> str:
    """The reason of a failed process, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return "it did not end in time and was killed"
    errors = getattr(error, "stderr", None) or b""
    lines = errors.decode(errors="replace").strip().splitlines()
    status = getattr(error, "returncode", "?")
    return f"it failed with status {status}: {lines[-1].strip() if lines else 'no message'}"
