"""`--doctor` and `--version`: the parts of this machine that the app uses, and fixes for the rest.

Every check is a trial: a device is opened, a frame encoded, a network run.
"""

import importlib.metadata
import io
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import av
import numpy as np

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import GarmentError
from preprocessing.images.poses import Square
from realtime import __version__
from realtime.analysis.engines import ENGINES, EngineOptions, crop_engine, loader
from realtime.runtime.devices import CPU, devices_of
from realtime.runtime.precision import Processor, known_precision
from realtime.sinks.encoders import ENCODERS, opens
from realtime.sinks.window import has_display
from realtime.sources.containers import decoding_devices
from realtime.sources.devices import LIBRARY, Camera, are_listed, cameras
from realtime.sources.open_source import open_source
from training.inference import pose_files
from training.inference.detector import Detector, read_detector
from training.inference.networks import Loader
from training.inference.parser import read_parser
from training.inference.pose import load_poses
from training.inference.weights import (
    ROLES,
    WEIGHTS_DIR,
    WeightsInfo,
    locate,
    read_manifest,
    verified,
)

CODECS: dict[str, Literal["r", "w"]] = {
    "h264": "r",
    "hevc": "r",
    "vp9": "r",
    "av1": "r",
    "mjpeg": "r",
    "libx264": "w",
}
NEEDED = ("numpy", "opencv-python", "av", "openvino", "fastapi", "uvicorn", "websockets")
OPTIONAL = {"torch": "training and GPUs", "onnxruntime": "--engine onnxruntime",
            "ultralytics": "training detectors",
            "trackers": "--track bytetrack and ocsort", "pyarrow": "--parquet",
            "paho-mqtt": "--mqtt",
            "pillow-heif": "HEIC pictures",
            "ray": "realtime.batch.archive"}  # fmt: skip
NETWORKS = ("yolo-people", "parser", "photo")  # of the default pipeline
PERSON = (256, 192)  # height and width of a person's crop
RUNS = 5
UNMEASURED = ("tensorrt", "intel-auto")  # devices: takes minutes to build, is another one
# Training data of the committed networks; README names the sources.
LICENCES = {
    "baseline": "Fashion-MNIST (MIT)",
    "deep": "Fashion-MNIST (MIT)",
    "deep-real": "Fashion-MNIST (MIT), clothing photos (CC0)",
    "efficientnet": "Fashion-MNIST (MIT)",
    "parser": "ImageNet weights, parsed worn photos (Apache-2.0), clothing photos (CC0), "
    "boxed worn photos, Intel clips (CC BY 4.0)",
    "photo": "ImageNet weights, parsed worn photos (Apache-2.0), clothing photos (CC0), "
    "boxed worn photos, Intel clips (CC BY 4.0)",
    "yolo": "Fashion-MNIST (MIT), Intel clips (CC BY 4.0)",
    "yolo-names": "Fashion-MNIST (MIT)",
    "yolo-people": "parsed and tagged worn photos (Apache-2.0), clothing photos (CC0), boxed worn "
    "photos, Intel clips (CC BY 4.0), rooms (MIT)",
    "yolo-photo": "clothing photos (CC0), parsed worn photos (Apache-2.0), boxed worn photos, "
    "Intel clips (CC BY 4.0)",
}


@dataclass(frozen=True)
class Finding:
    """Result of a check.

    Attributes:
        subject: the part of the machine that was checked.
        result: its state.
        fix: command or advice that improves it; "" if it needs none.
        status: exit status if the app cannot work without it; 0 if it can.
    """

    subject: str
    result: str
    fix: str = ""
    status: int = 0


def examine() -> Iterator[Finding]:
    """Yield the findings in the order of CHECKS."""
    for check in CHECKS:
        yield from check()


def versions() -> str:
    """Return the versions of the app, of Python and of the packages that it needs, as one line."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    packages = (f"{name} {_version(name) or 'missing'}" for name in NEEDED)
    return f"run_realtime.py {__version__} ({', '.join((system, *packages))})"


def _versions() -> Iterator[Finding]:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield Finding("machine", system)
    for name in NEEDED:
        version = _version(name)
        fix = "" if version else "pip install -r realtime/requirements.txt"
        yield Finding(name, f"{version or 'missing'}, {_licence(name)}", fix, 0 if version else 7)
    for name, use in OPTIONAL.items():
        version = _version(name)
        result = f"{version}, {_licence(name)}" if version else f"not installed, for {use}"
        yield Finding(name, result, "" if version else f"pip install {name}")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _licence(name: str) -> str:
    """Return the licence in a package's metadata, shortened."""
    try:
        about = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return "licence unknown"
    named = about.json.get("license_expression") or about.json.get("license") or ""
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or () if "License" in c]
    return (str(named).splitlines() or classes or ["licence unknown"])[0][:60]


def _cameras() -> Iterator[Finding]:
    have = cameras()
    if not are_listed():
        yield Finding("cameras", "not listed on this system", f"pip install {LIBRARY}")
    elif not have:
        yield Finding("cameras", "none", "connect one, or give a file or URL")
    for camera in have:
        yield _camera(camera)


def _camera(camera: Camera) -> Finding:
    subject, name = f"camera {camera.number}", camera.name or camera.path
    try:
        with open_source(camera.number) as source:
            next(iter(source))
            info = source.info
    except GarmentError:
        fix = "close other programs that use it; allow its use in the system's settings"
        if camera.path:
            fix = "close other programs that use it; join the group `video`"
        return Finding(subject, f"{name}: gives no pictures", fix)
    rate = f" at {float(info.rate):g} fps" if info.rate else ""
    return Finding(subject, f"{name}: gives pictures of {info.width}x{info.height}{rate}")


def _codecs() -> Iterator[Finding]:
    lacking = []
    for name, mode in CODECS.items():
        try:
            av.Codec(name, mode)
        except (ValueError, av.FFmpegError):
            lacking.append(name)
    read = ", ".join(name for name in CODECS if name not in lacking)
    yield Finding("codecs", f"have {read}", f"pip install -U av, for {lacking}" if lacking else "")
    try:
        encoded = _encode()
        here = ", ".join(name for name in ENCODERS if opens(name))
        yield Finding("encoding", f"a frame of H.264 has {encoded} bytes; --encoder has {here}")
    except (av.FFmpegError, ValueError) as error:
        yield Finding("encoding", str(error), "pip install -U av", 5)


def _decoding_devices() -> Iterator[Finding]:
    have = ", ".join(decoding_devices())
    yield Finding("hardware decoding", f"--hwaccel {have}" if have else "none, the CPU decodes")


def _encode() -> int:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        target.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        target.mux(stream.encode(None))
    return buffer.tell()


def _display() -> Iterator[Finding]:
    shown = has_display()
    yield Finding("display", "windows can be opened" if shown else "none",
                  "" if shown else "use --serve for a page, or -o FILE")  # fmt: skip


def _engines() -> Iterator[Finding]:
    for name in ENGINES:
        package = OPTIONAL.get(name, "")
        have = [one for one in devices_of(name) if ":" not in one and one not in UNMEASURED]
        if not have:
            status = 0 if package else 7
            yield Finding(f"engine {name}", f"not installed, for {package or 'all'}",
                          f"pip install {name}", status)  # fmt: skip
        for device in have:
            yield _engine(name, device)


def _engine(name: str, device: str) -> Finding:
    """A measured inference of each network of the default pipeline."""
    needed, listed = name == "openvino" and device == CPU, ", ".join(devices_of(name))
    try:
        times = _inference(name, device)
    except GarmentError as error:
        fix = "pip install -r realtime/requirements.txt" if needed else "use --engine openvino"
        return Finding(f"engine {name}", str(error), fix, error.status if needed else 0)
    processor = Processor(name, device)
    measured = ", ".join(f"{network} {time:.2f} ms{_precision(processor, network)}"
                         for network, time in times.items())  # fmt: skip
    return Finding(f"engine {name}", f"sees {listed}; {measured} on {device}")


def _precision(processor: Processor, network: str) -> str:
    """The precision that was found to be faster, in words; "" where there is one only."""
    known = network in NETWORKS and known_precision(processor, WEIGHTS_DIR / f"{network}.onnx")
    return f" in {known}" if known else ""


def _inference(engine: str, device: str) -> dict[str, float]:
    """Median run times in milliseconds of the default pipeline's networks, by their names."""
    load = loader(EngineOptions(engine=engine, device=device))
    found: dict[str, float] = {}
    calls = {name: _call(*locate(name), load) for name in NETWORKS}
    if ".tflite" in ENGINES[engine].kinds and pose_files.installed():
        poses, square = load_poses(load=load), Square(320, 240, 400, 0.0)
        assert poses is not None
        calls["pose"] = partial(poses.estimate, np.zeros((480, 640, 3), np.uint8), square)
    for name, run in calls.items():
        times = []
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - start))
        found[name] = statistics.median(times[1:])  # the first compiles
    return found


def _call(stem: Path, info: WeightsInfo, load: Loader) -> Callable[[], object]:
    """A network on a picture of the size that the pipeline gives it."""
    if info.task == "detect":
        detector = Detector(info, read_detector(stem, info, load))
        return partial(detector, np.zeros((480, 640, 3), np.uint8))
    if info.task == "parse":
        return partial(read_parser(stem, info, load).parse, np.zeros((*PERSON, 3), np.uint8))
    crop = np.zeros((1, info.channels, info.size, info.size), np.uint8)
    return partial(crop_engine(stem, info, load), crop)


def _weights() -> Iterator[Finding]:
    for name in sorted(read_manifest()):
        try:
            stem, info = locate(name)
            verified(stem.with_suffix(".onnx"))
        except GarmentError as error:
            yield Finding(f"weights {name}", str(error), f"git checkout weights/{name}.*", 6)
            continue
        data = LICENCES.get(name, "unknown data")
        yield Finding(f"weights {name}", f"{ROLES[info.task][0]}, complete; trained on {data}")
    if not read_manifest():
        yield Finding("weights", f"none in {WEIGHTS_DIR}", "git checkout weights", 6)


def _pose() -> Iterator[Finding]:
    try:
        pose_files.verified_files()
        yield Finding("pose networks", f"{pose_files.FOLDER} (BlazePose, Apache-2.0)")
    except GarmentError as error:
        yield Finding("pose networks", f"sleeve and leg length are less accurate: {error}",
                      pose_files.COMMAND)  # fmt: skip


def _data() -> Iterator[Finding]:
    try:
        folder = fashion_mnist.find(download=False)
        yield Finding("Fashion-MNIST", f"{folder} (MIT)")
    except GarmentError as error:
        yield Finding("Fashion-MNIST", f"for training only: {error}",
                      "sudo apt-get install dataset-fashion-mnist")  # fmt: skip


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _versions, _cameras, _display, _codecs, _decoding_devices, _engines, _weights, _pose, _data,
)  # fmt: skip


def line(finding: Finding) -> str:
    """Return a finding as one line: "no" if the app cannot work, "-" if something can be fixed."""
    mark = "no " if finding.status else "-  " if finding.fix else "ok "
    fix = f"  ->  {finding.fix}" if finding.fix else ""
    return f"{mark}{finding.subject:22s} {finding.result}{fix}"


def main() -> int:
    """Print every finding; return 0, or the status of the first without which the app fails."""
    status = 0
    for finding in examine():
        print(line(finding), flush=True)
        status = status or finding.status
    return status
