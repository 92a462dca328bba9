"""The cost of the app's settings: detection intervals, sizes, time to the first frame."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime.bench.settings import BenchSettings
from realtime.bench.speed.clips import SIZES, Clip, build
from realtime.bench.speed.measure import ROOT, ProcessRun, measured, seconds_until_output
from realtime.bench.speed.networks import BATCHES, classifier_times, detector_times
from realtime.bench.speed.peers import FAST, PEERS, PREDICT, app
from realtime.bench.speed.quality import f1_of_rows, ssim_of_videos
from realtime.library.assemble import make_analysis
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sources.open_source import open_source

FIRST_FRAME = "(frame 1/"  # part of the line that `yolo predict` prints after its first frame
YOLO = Recognition(model="yolo-names", locator="yolo", detection_interval="every-frame")


def _app_run(folder: Path, clip: Path, *flags: str) -> tuple[ProcessRun, dict]:
    """Run the app, with its own statistics; rows go to rows.jsonl, the video to out/out.mp4."""
    (folder / "out").mkdir(exist_ok=True)
    command = app("--stats", str(folder / "stats.json"), "--jsonl", str(folder / "rows.jsonl"),
                  *flags)  # fmt: skip
    run = measured(command(clip, folder / "out" / "out.mp4"), folder / "out")
    return run, json.loads((folder / "stats.json").read_text())


def _analysis_ms(clip: Path, recognition: Recognition) -> float:
    """Milliseconds of locating and classifying for each frame, one frame after the other."""
    analysis, stats = make_analysis(recognition), Stats()
    with open_source(str(clip)) as source:
        for frame in source:
            stats.read += 1
            analysis(frame, stats)
    stages = stats.report()["stages_ms"]
    total = sum(stages[name]["mean"] * stages[name]["count"] for name in ("locate", "classify"))
    return total / stats.read


def intervals(folder: Path, settings: BenchSettings) -> None:
    """Compare --detection-interval smooth with every-frame, and a still scene with a moving one."""
    moving = build(folder / "moving.mp4", Clip(settings.frames))
    still = build(folder / "still.mp4", Clip(settings.frames, still=True))
    flags = ("--locate", "yolo", "--detection-interval")
    _app_run(folder, moving, *flags, "every-frame")
    (folder / "rows.jsonl").rename(folder / "every.jsonl")
    _app_run(folder, moving, *flags, "smooth")
    loss = 1 - f1_of_rows(folder / "rows.jsonl", folder / "every.jsonl")
    smooth, static = [], []
    for _ in range(settings.rounds):
        every = _analysis_ms(moving, YOLO)
        smooth.append(_analysis_ms(moving, replace(YOLO, detection_interval="smooth")) / every)
        static.append(_analysis_ms(still, YOLO) / every)
    _report("smooth, analysis time relative to every-frame", smooth)
    print(f"smooth, rows that differ from every-frame (1 - F1): {loss:.4f}")
    _report("still camera, analysis time relative to every-frame", static)


def sizes(folder: Path, settings: BenchSettings) -> None:
    """Time from 480p to 1080p; bytes and SSIM of a video."""
    per_pixel: dict[str, list[float]] = {size: [] for size in SIZES}
    clips = {
        size: build(folder / f"{size}.mp4", Clip(settings.frames, size=size)) for size in SIZES
    }
    for _ in range(settings.rounds):
        for size, clip in clips.items():
            _, report = _app_run(folder, clip, *FAST)
            pixels = np.prod(SIZES[size]) * settings.frames
            per_pixel[size].append(1e9 * report["seconds"] / pixels)
    for size, values in per_pixel.items():
        _report(f"{size}, ns a pixel", values)
        _report(f"{size}, relative to 480p", np.array(values) / per_pixel["480p"])
    run, _ = _app_run(folder, clips["480p"], "--locate", "none", "--model", "deep")
    ssim = ssim_of_videos(folder / "out" / "out.mp4", clips["480p"])
    print(f"480p, no analysis: {run.size / 1000:.0f} KB at an SSIM of {ssim:.4f}")


def start(folder: Path, settings: BenchSettings) -> None:
    """Seconds to the first frame, and to --help."""
    clip = build(folder / "clip.mp4", Clip(settings.frames))
    peer = next(one for one in PEERS["yolo"](folder) if one.name == PREDICT)
    ours, theirs, help_seconds = [], [], []
    for _ in range(settings.rounds + 1):
        run, report = _app_run(folder, clip, "--locate", "yolo")
        ours.append(run.seconds - report["seconds"] + report["first_frame_seconds"])
        command = peer.command(clip, folder / "theirs" / "out.mp4")
        theirs.append(seconds_until_output(command, FIRST_FRAME))
        shown = measured([sys.executable, str(ROOT / "run_realtime.py"), "--help"])
        help_seconds.append(shown.seconds)
    _report("first frame written, s", ours[1:])  # the first round fills caches
    _report(f"{PREDICT}, first frame reported, s", theirs[1:])
    _report("ours relative to theirs", np.array(ours[1:]) / theirs[1:])
    _report("--help, s", help_seconds[1:])


def networks(folder: Path, settings: BenchSettings) -> None:
    """Milliseconds of single networks."""
    for batch in BATCHES:
        for name, times in classifier_times(batch).items():
            _report(f"{name}, batch {batch}, ms", times)
    for name, times in detector_times().items():
        _report(f"{name}, one frame, ms", times)


def _report(title: str, values: Sequence[float] | np.ndarray) -> None:
    low, high = np.percentile(values, (5, 95))
    print(f"{title}: {np.median(values):.3f} ({low:.3f} to {high:.3f})", flush=True)
