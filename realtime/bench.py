"""Measures the app against simpler programs on this machine: `python -m realtime.bench`.

Whole processes, interleaved A B B A; the app against itself shows the noise. Ratios of one run are
what counts: absolute figures change with the machine and its load.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.engines import openvino_engine
from realtime.flags import DEMO
from realtime.video_sink import CONTAINER_OPTIONS, ENCODER_OPTIONS, KEY_FRAME_SECONDS
from training.detection.detector import Detector, openvino_detector
from training.weights import locate, read_manifest

ROOT = Path(__file__).resolve().parent.parent
CLIP_RATE = Fraction(25)
BATCHES = (1, 4, 16)
OURS = "segment + deep"
COPY_LOOP = f"""
import sys, av
source, target = av.open(sys.argv[1]), av.open(sys.argv[2], "w", options={CONTAINER_OPTIONS!r})
video = source.streams.video[0]
stream = target.add_stream("libx264", rate=video.average_rate, options={ENCODER_OPTIONS!r})
stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
stream.time_base = stream.codec_context.time_base = video.time_base
stream.codec_context.gop_size = round({KEY_FRAME_SECONDS} * video.average_rate)
for frame in source.decode(video):
    copy = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")
    copy.pts, copy.time_base = frame.pts, frame.time_base
    target.mux(stream.encode(copy))
target.mux(stream.encode(None))
target.close()
"""
COPY_LOOP_YUV = COPY_LOOP.replace(
    'av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")',
    'av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")',
)


FAST = ("--model", "deep")  # with contours: as little as can be, beside what the loops do


@dataclass(frozen=True)
class Contestant:
    """A program to time: `command(clip, out)` is run as a whole process."""

    name: str
    command: Callable[[Path, Path], list[str]]


def app(*flags: str) -> Callable[[Path, Path], list[str]]:
    """The app with flags."""
    script = str(ROOT / "run_realtime.py")
    return lambda clip, out: [sys.executable, script, "--video", str(clip), "-o", str(out), *flags]


def script(text: str) -> Callable[[Path, Path], list[str]]:
    """A Python program that takes the clip and the output as its arguments."""
    return lambda clip, out: [sys.executable, "-c", text, str(clip), str(out)]


def copy_loops(folder: Path) -> tuple[Contestant, ...]:
    """The app's main job beside loops that only decode and encode."""
    return (
        Contestant(OURS, app(*FAST)),
        Contestant("PyAV copy loop, frames as BGR arrays", script(COPY_LOOP)),
        Contestant("PyAV copy loop, frames as they are", script(COPY_LOOP_YUV)),
        Contestant(f"{OURS}, again", app(*FAST)),
    )


def yolo_predict(folder: Path) -> tuple[Contestant, ...]:
    """The app with the detector beside ultralytics' own command on the same weights."""
    from training.detection.yolo import write_checkpoint

    stem, info = locate("yolo")
    checkpoint, size = folder / "yolo.pt", f"imgsz={info.size}"
    write_checkpoint(checkpoint, stem, info)
    command = str(Path(sys.executable).with_name("yolo"))
    seconds([command, "export", f"model={checkpoint}", "format=openvino", size])

    def predict(model: Path) -> Callable[[Path, Path], list[str]]:
        return lambda clip, out: [
            command, "predict", f"model={model}", f"source={clip}", size, "save=True",
            f"conf={info.confidence}", "device=cpu", f"project={folder}", "exist_ok=True",
        ]  # fmt: skip

    ours = app("--locate", "yolo", "--latency", "every-frame")
    return (
        Contestant("yolo", ours),
        Contestant("yolo predict, torch", predict(checkpoint)),
        Contestant("yolo predict, its OpenVINO export", predict(folder / "yolo_openvino_model")),
        Contestant("yolo, again", ours),
    )


PEERS = {"loops": copy_loops, "yolo": yolo_predict}


def build_clip(path: Path, frames: int) -> None:
    """The demo's moving garments, 640x480, over and over until there are `frames`."""
    with av.open(str(DEMO)) as source:
        pictures = list(source.decode(video=0))
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=CLIP_RATE, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(frames):
            picture = pictures[index % len(pictures)]
            picture.pts, picture.time_base = index, 1 / CLIP_RATE
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))


def seconds(command: list[str]) -> float:
    """Wall time of a whole process, which must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - start


def compare(
    contestants: Sequence[Contestant], clip: Path, folder: Path, rounds: int
) -> dict[str, list[float]]:
    """Times of every contestant: forwards in one round, backwards in the next."""
    times: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds):
        for one in contestants if number % 2 == 0 else reversed(contestants):
            times[one.name].append(seconds(one.command(clip, folder / "out.mp4")))
    return times


def start_times(clip: Path, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds until the first frame is written, from the process's start, and until --help."""
    run, found = app("--stats", str(folder / "stats.json")), {"first frame": [], "--help": []}
    help_command = [sys.executable, str(ROOT / "run_realtime.py"), "--help"]
    for _ in range(rounds):
        whole = seconds(run(clip, folder / "out.mp4"))
        report = json.loads((folder / "stats.json").read_text())
        found["first frame"].append(whole - report["seconds"] + report["first_frame_seconds"])
        found["--help"].append(seconds(help_command))
    return found


def engine_times(batch: int, rounds: int = 200) -> dict[str, np.ndarray]:
    """Milliseconds of each call of every committed classifier on OpenVINO, one thread."""
    found = {}
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        if info.task == "classify":
            engine = openvino_engine(stem, info, device="cpu", threads=1)
            crops = np.zeros((batch, info.channels, info.size, info.size), np.uint8)
            found[name] = _times(lambda engine=engine, crops=crops: engine(crops), rounds)
    return found


def detector_times(rounds: int = 200) -> dict[str, np.ndarray]:
    """Milliseconds of each step of every committed detector on a 640x480 frame, by threads."""
    frame, found = np.full((480, 640, 3), 127, np.uint8), {}
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        for threads in (1, 2) if info.task == "detect" else ():
            detector = Detector(info, openvino_detector(stem, info, threads=threads))
            step = _times(lambda detector=detector: detector(frame), rounds)
            found[f"{name}, {threads} threads"] = step
    return found


def _times(call: Callable[[], object], rounds: int) -> np.ndarray:
    times = []
    for _ in range(rounds + 20):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return np.array(times[20:])  # without the warm-up


def table(times: dict[str, list[float]], frames: int) -> str:
    """Median seconds and fps, and the first one's speed over each, median and range of rounds."""
    first = np.array(next(iter(times.values())))
    lines = [f"{'':38s} {'s':>6s} {'fps':>6s}   ours / this"]
    for name, values in times.items():
        ratios = np.array(values) / first
        middle = float(np.median(values))
        lines.append(
            f"{name:38s} {middle:6.2f} {frames / middle:6.0f}   "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.bench",
        description="Time the app against PyAV copy loops, and the networks alone.",
    )
    parser.add_argument("--against", choices=PEERS, default="loops", help="copy loops, or "
                        "`yolo predict` on the detector's weights (default loops)")  # fmt: skip
    parser.add_argument("--frames", type=int, default=600, help="of the 640x480 clip (600)")
    parser.add_argument("--rounds", type=int, default=6, help="runs of each program (6)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        build_clip(clip, args.frames)
        seconds(app()(clip, folder / "out.mp4"))  # fills the file and kernel caches
        print(f"{platform.machine()}, {args.frames} frames of 640x480, {args.rounds} rounds")
        contestants = PEERS[args.against](folder)
        print(table(compare(contestants, clip, folder, args.rounds), args.frames))
        if args.against == "yolo":
            _print_times(detector_times(), "one step")
            return 0
        for what, values in start_times(clip, folder, args.rounds).items():
            print(f"{what}: {np.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})")
        for batch in BATCHES:
            _print_times(engine_times(batch), f"batch {batch}")
    return 0


def _print_times(found: dict[str, np.ndarray], what: str) -> None:
    for name, times in found.items():
        low, high = np.percentile(times, (5, 95))
        print(f"{name}, {what}: {np.median(times):.2f} ms ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    sys.exit(main())
