"""The programs that the app is compared with: each a whole process, as a user would start it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.bench.speed.measure import ROOT, Command, measured
from realtime.bench.speed.peer_scripts import COPY_LOOP, OPENCV_LOOP, REFERENCE, SUPERVISION
from training.inference.weights import WeightsInfo, locate

OURS = "segment + deep"
PREDICT = "yolo predict, torch"
YOLO_COMMAND = str(Path(sys.executable).with_name("yolo"))
EXPORTS = {"openvino": "{}_openvino_model", "onnx": "{}.onnx"}  # names of what is written
FAST = ("--model", "deep", "--detection-interval", "every-frame")


@dataclass(frozen=True)
class Peer:
    """A program to time: `command(clip, out)` is run as a whole process."""

    name: str
    command: Command


def app(*flags: str) -> Command:
    """The app with flags."""
    script = str(ROOT / "run_realtime.py")
    return lambda clip, out: [sys.executable, script, "--video", str(clip), "-o", str(out), *flags]


def python_script(text: str) -> Command:
    """A Python program that takes the clip and the output as its arguments."""
    return lambda clip, out: [sys.executable, "-c", text, str(clip), str(out)]


def checkpoint_of(folder: Path, stem: Path, info: WeightsInfo) -> Path:
    """The app's detector as a checkpoint of ultralytics, written into a folder."""
    from training.detection.yolo import write_checkpoint

    path = folder / f"{info.name}.pt"
    write_checkpoint(path, stem, info)
    return path


def export(checkpoint: Path, info: WeightsInfo, form: str) -> Path:
    """The checkpoint in a form of EXPORTS, as ultralytics' own command writes it.

    Raises:
        CalledProcessError: it failed.
    """
    size = f"imgsz={info.size}"
    measured([YOLO_COMMAND, "export", f"model={checkpoint}", f"format={form}", size])
    return checkpoint.with_name(EXPORTS[form].format(checkpoint.stem))


def predict(model: Path, info: WeightsInfo) -> Command:
    """`yolo predict` with a model, at the app's size and threshold, on the CPU."""
    return lambda clip, out: [
        YOLO_COMMAND, "predict", f"model={model}", f"source={clip}", f"imgsz={info.size}",
        "save=True", f"conf={info.confidence}", "device=cpu", f"project={out.parent}",
        "name=yolo", "exist_ok=True",
    ]  # fmt: skip


def loops(folder: Path) -> tuple[Peer, ...]:
    """The app, a loop that only copies, and the webcam demo's pipeline."""
    return (
        Peer(OURS, app(*FAST)),
        Peer("OpenCV copy loop, mp4v", python_script(OPENCV_LOOP)),
        Peer("the reference's pipeline, XVID", python_script(REFERENCE.format(root=str(ROOT)))),
        Peer(f"{OURS}, again", app(*FAST)),
    )


def copies(folder: Path) -> tuple[Peer, ...]:
    """Copying with sound: the app without an analysis, and a PyAV loop on one thread."""
    none = app("--locate", "none", "--model", "deep")
    return (
        Peer("no analysis", none),
        Peer("PyAV copy loop, one thread", python_script(COPY_LOOP)),
        Peer("no analysis, again", none),
    )


def yolo(folder: Path) -> tuple[Peer, ...]:
    """The app with a detector, ultralytics' own command and a script, on the same weights."""
    stem, info = locate("yolo")
    checkpoint = checkpoint_of(folder, stem, info)
    ours = app("--locate", "yolo", "--detection-interval", "every-frame")
    script = SUPERVISION.format(model=str(checkpoint), size=info.size, confidence=info.confidence)
    exported = export(checkpoint, info, "openvino")
    return (
        Peer("yolo", ours),
        Peer(PREDICT, predict(checkpoint, info)),
        Peer("yolo predict, its OpenVINO export", predict(exported, info)),
        Peer("supervision script, torch", python_script(script)),
        Peer("yolo, again", ours),
    )


PEERS: dict[str, Callable[[Path], tuple[Peer, ...]]] = {
    "loops": loops, "copies": copies, "yolo": yolo,
}  # fmt: skip
