"""Rows of the benchmark of graphics cards: each returns its value, unit and what else it found."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

STREAMS, STREAM_RATE = 8, 60
ALL_CROPS = 10_000


@dataclass(frozen=True)
class Load:
    """How much each row measures.

    Attributes:
        device: of the networks.
        frames: of a file; crops: of a request; seconds: of a camera; calls: of a network.
        size: of the default pipeline's file, a name of `clips.SIZES`.
        clip: a file to look at instead of the demo in a loop.
    """

    device: str = "cuda"
    frames: int = 3000
    crops: int = ALL_CROPS
    seconds: float = 20.0
    calls: int = 50
    size: str = "1080p"
    clip: str = ""

    @classmethod
    def dry(cls, clip: str) -> "Load":
        """As little as shows that everything runs, on the CPU."""
        return cls("cpu", frames=25, crops=100, seconds=3.0, calls=3, clip=clip)


def deep(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Crops a second through the network `deep`, from and to main memory."""
    import numpy as np

    from realtime.analysis.engines import crop_engine, loader
    from training.inference.weights import locate

    stem, info = locate("deep")
    engine = crop_engine(stem, info, loader(_options(load)))
    shape = (load.crops, info.channels, info.size, info.size)
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    found = {}
    for batch in sorted({1, min(32, load.crops), min(1000, load.crops), load.crops}):
        given = crops[:batch]
        engine(given)
        count = load.calls if batch > 1 else 4 * load.calls
        start = time.perf_counter()
        for _ in range(count):
            engine(given)
        found[f"batch {batch}"] = round(count * batch / (time.perf_counter() - start), 1)
    return max(found.values()), "crops/s", found


def networks(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Milliseconds an image of the default pipeline's networks, alone and in batches."""
    found = _network_times(load, "")
    if load.device != "cpu":
        from training.common import torch_network

        torch_network.REPLAYING = ()
        found |= _network_times(load, ", operator by operator")
    return found["parser, batch 8"], "ms a crop (parser, 8)", found


def _network_times(load: Load, how: str) -> dict[str, float]:
    import numpy as np

    from realtime.analysis.engines import loader
    from training.inference.networks import Layout
    from training.inference.weights import locate

    load_network, found = loader(_options(load)), {}
    rng = np.random.default_rng(0)
    for name, layout, shape in (
        ("yolo-people", Layout.FRAMES, (192, 320, 3)),
        ("parser", Layout.EACH_SHAPE, (3, 256, 192)),
        ("photo", Layout.AS_FILED, (4, 224, 224)),
        ("yolo", Layout.FRAMES, (256, 320, 3)),
    ):
        stem, info = locate(name)
        if info.task == "classify":
            shape = (info.channels, info.size, info.size)
        network = load_network(stem, layout=layout)
        for batch in (1, 8) if load.device == "cpu" else (1, 8, 32):
            given = rng.integers(0, 256, (batch, *shape), np.uint8)
            for _ in range(3):  # the second call of a shape is recorded
                network(given)
            start = time.perf_counter()
            for _ in range(load.calls):
                network(given)
            taken = 1000 * (time.perf_counter() - start) / load.calls / batch
            found[f"{name}, batch {batch}{how}"] = round(taken, 3)
    return found


def yolo(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Frames a second of `--locate yolo` on every frame of 640x480, H.264 in and out."""
    clip = _clip(load, folder, "480p")
    return _app(load, folder, clip, "--locate", "yolo", "--detection-interval", "every-frame")


def default(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Frames a second of the default pipeline, H.264 in and out, decoded by the CPU."""
    return _app(load, folder, _clip(load, folder, load.size), *_pose())


def default_decoder(load: Load, folder: Path) -> tuple[float, str, dict]:
    """The same, decoded and encoded by the card where it can."""
    clip = _clip(load, folder, load.size)
    return _app(load, folder, clip, *_pose(), "--hwaccel", "auto", "--encoder", "auto")


def rows_only(load: Load, folder: Path) -> tuple[float, str, dict]:
    """The same without a video: what drawing and encoding cost."""
    clip, rows = _clip(load, folder, load.size), folder / "rows.jsonl"
    return _app(load, folder, clip, *_pose(), "--hwaccel", "auto", out=("--jsonl", str(rows)))


def streams(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Frames a second of eight cameras of 640x480 in all, more than can be looked at."""
    from realtime.bench.live.streams import measure_streams

    count = STREAMS if load.device != "cpu" else 2
    rate = STREAM_RATE if load.device != "cpu" else 15
    found = measure_streams(
        folder, streams=count, rate=rate, seconds=load.seconds,
        flags=("--device", load.device, *_pose()),
    )  # fmt: skip
    return found.rate, "frames/s in all", asdict(found)


def agreement(load: Load, folder: Path) -> tuple[float, str, dict]:
    """Frames with the same garments as on the CPU; of the demo, which shows nobody, by `yolo`."""
    from realtime.bench.fidelity import engines
    from realtime.settings import Recognition

    count = 3 if load.device == "cpu" else 60
    frames = engines.frames_of(str(_clip(load, folder, "480p")), count, every=4)
    reference = "torch" if _pose() else "openvino"
    settings = (
        Recognition(pose=False) if load.clip else Recognition(model="yolo-names", locator="yolo")
    )
    expected, found = (
        engines.answers(frames, replace(settings, engine=engine, device=device))
        for engine, device in ((reference, "cpu"), ("torch", load.device))
    )
    same = engines.agreement(expected, found)
    return 100 * same.same / same.frames, "% of frames", asdict(same)


def yolo_predict(load: Load, folder: Path) -> tuple[float, str, dict]:
    """`yolo predict half=True` on the same network and clip; how much longer it takes than we."""
    from training.detection.yolo import write_checkpoint
    from training.inference.weights import locate

    stem, info = locate("yolo")
    clip, checkpoint = _clip(load, folder, "480p"), folder / "yolo.pt"
    write_checkpoint(checkpoint, stem, info)
    half, device = ("True", "0") if load.device != "cpu" else ("False", "cpu")
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from ultralytics.cfg import entrypoint; entrypoint()", "predict",
         f"model={checkpoint}", f"source={clip}", f"imgsz={info.size}", "save=True",
         f"conf={info.confidence}", f"device={device}", f"half={half}", f"project={folder}",
         "name=yolo", "exist_ok=True", "verbose=False"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    theirs = time.perf_counter() - start
    start = time.perf_counter()
    yolo(load, folder)
    ours = time.perf_counter() - start
    return theirs / ours, "times as long, whole processes", {
        "seconds": round(theirs, 2), "ours": round(ours, 2), "fps": round(load.frames / theirs, 1)
    }  # fmt: skip


# In order of importance: the time may be over before the last.
ROWS: dict[str, Callable[[Load, Path], tuple[float, str, dict]]] = {
    "deep": deep,
    "default": default,
    "default-decoder": default_decoder,
    "yolo": yolo,
    "yolo-predict": yolo_predict,
    "streams": streams,
    "agreement": agreement,
    "networks": networks,
    "rows-only": rows_only,
}


def _options(load: Load):
    from realtime.analysis.engines import EngineOptions
    from realtime.runtime.devices import choose

    engine, device = choose("auto", load.device)
    return EngineOptions(engine=engine, device=device)


def _pose() -> tuple[str, ...]:
    """Pose networks run on OpenVINO, which a machine with a card may lack."""
    import importlib.util

    return () if importlib.util.find_spec("openvino") else ("--no-pose",)


def _clip(load: Load, folder: Path, size: str) -> Path:
    """The clip of a size in a loop, or the given one."""
    from realtime.bench.speed.clips import Clip, build, looped

    wanted = folder / f"{size}-{load.frames}.mp4"
    if wanted.exists():
        return wanted
    once = Path(load.clip) if load.clip else build(folder / f"{size}.mp4", Clip(50, size=size))
    return looped(wanted, once, load.frames)


def _app(
    load: Load, folder: Path, clip: Path, *flags: str, out: Sequence[str] = ()
) -> tuple[float, str, dict]:
    """A run of the app: frames a second once it is loaded, stages in milliseconds a frame."""
    stats, target = folder / "stats.json", out or ("-o", str(folder / "out.mp4"))
    command = [sys.executable, str(ROOT / "run_realtime.py"), str(clip), *target,
               "--device", load.device, "--stats", str(stats), *flags]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    report = json.loads(stats.read_text())
    stages = {name: one.get("mean") for name, one in report["stages_ms"].items()}
    more = {"process_s": round(time.perf_counter() - start, 2), "stages_ms": stages}
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    return report["fps"], "fps", more | ({"warnings": warned} if warned else {})
