"""Benchmarks of the app on this machine: `python -m realtime.bench`.

Whole processes run interleaved, A B B A; the app against itself shows the noise. Compare ratios of
one run: absolute figures change with the machine and its load.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError, exit_status
from realtime.bench.clips import SIZES, Clip, build
from realtime.bench.fidelity import matrix as fidelity
from realtime.bench.fidelity import peers as fidelity_peers
from realtime.bench.live.endurance import day, memory, soak
from realtime.bench.live.fuzz import fuzz
from realtime.bench.live.latency import SlowedLocator, measure_latency, measure_page
from realtime.bench.live.siege import besiege
from realtime.bench.live.sources import measure_live
from realtime.bench.live.streams import measure_streams
from realtime.bench.measure import (
    ROOT,
    ProcessRun,
    compare,
    measured,
    plot,
    seconds_until_output,
    table,
)
from realtime.bench.networks import BATCHES, classifier_times, detector_times
from realtime.bench.peers import FAST, PEERS, PREDICT, app
from realtime.bench.quality import f1_of_rows, ssim_of_videos
from realtime.library.assemble import make_analysis
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sources.open_source import open_source

CAMERA_RATE = 30  # frames a second
STREAMS, STREAM_RATES = 8, (15, 60)
FIRST_FRAME = "(frame 1/"  # part of the line that `yolo predict` prints after its first frame
SLOWDOWN = 3  # times the camera's frame interval that the slowed locator takes
YOLO = Recognition(model="yolo-names", locator="yolo", detection_interval="every-frame")


@dataclass(frozen=True)
class BenchSettings:
    """Size of an experiment.

    Attributes:
        frames: of a clip.
        rounds: runs of each program.
        seconds: for which a camera runs.
        plot: file for a plot of a comparison of programs.
        json: file for every cell of the fidelity matrix.
        seed: of random requests.
        clip: video that the cameras of streams show; None for the demo.
    """

    frames: int = 600
    rounds: int = 6
    seconds: float = 60.0
    plot: Path | None = None
    json: Path | None = None
    seed: int = 0
    clip: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """A row of EXPERIMENTS: `run(folder, settings)` prints its results; `folder` is scratch."""

    title: str
    run: Callable[[Path, BenchSettings], None]


def _compare_programs(name: str, folder: Path, settings: BenchSettings) -> None:
    """Compare the app with the programs of a row of PEERS."""
    try:
        programs = PEERS[name](folder)
        clip = build(folder / "clip.mp4", Clip(settings.frames, sound=name == "copies"))
        runs = compare(programs, clip, folder, settings.rounds)
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1]
        raise UsageError(f"a program failed ({reason}): pip install -r "
                         "tests/requirements-bench.txt") from error  # fmt: skip
    print(table(runs, settings.frames))
    if settings.plot:
        title = f"640x480, {settings.frames} frames, whole processes"
        plot(settings.plot, runs, settings.frames, title)


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


def _intervals(folder: Path, settings: BenchSettings) -> None:
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


def _sizes(folder: Path, settings: BenchSettings) -> None:
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


def _start(folder: Path, settings: BenchSettings) -> None:
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


def _latency(folder: Path, settings: BenchSettings) -> None:
    live = replace(YOLO, detection_interval="live")
    found = measure_latency(make_analysis(live), rate=CAMERA_RATE, seconds=settings.seconds)
    print(f"yolo, live: {found}")
    for interval in ("live", "every-frame"):
        slow = make_analysis(replace(live, detection_interval=interval))
        slow.locator = SlowedLocator(slow.locator, SLOWDOWN / CAMERA_RATE)
        found = measure_latency(slow, rate=CAMERA_RATE, seconds=settings.seconds)
        print(f"{SLOWDOWN} times too slow, {interval}: {found}", flush=True)


def _page(folder: Path, settings: BenchSettings) -> None:
    analysis = make_analysis(replace(YOLO, detection_interval="live"))
    seconds, rounds = settings.seconds, settings.rounds
    print(measure_page(analysis, rate=CAMERA_RATE, seconds=seconds, rounds=rounds))


def _live(folder: Path, settings: BenchSettings) -> None:
    for line in measure_live(folder, settings.seconds):
        print(line, flush=True)


def _streams(folder: Path, settings: BenchSettings) -> None:
    """Cameras at their own pace, then at one that is too much for any machine."""
    for count, rate in ((1, CAMERA_RATE), *((STREAMS, rate) for rate in STREAM_RATES)):
        place = folder / f"{count}-{rate}"
        place.mkdir()
        found = measure_streams(place, streams=count, rate=rate, seconds=settings.seconds,
                                clip=settings.clip)  # fmt: skip
        print(f"{count} at {rate} fps: {found}", flush=True)


def _archive(folder: Path, settings: BenchSettings) -> None:
    from realtime.bench.live.histories import live  # its processes need Linux

    print(live(folder, seed=0, count=settings.rounds))


def _networks(folder: Path, settings: BenchSettings) -> None:
    for batch in BATCHES:
        for name, times in classifier_times(batch).items():
            _report(f"{name}, batch {batch}, ms", times)
    for name, times in detector_times().items():
        _report(f"{name}, one frame, ms", times)


def _fuzz(folder: Path, settings: BenchSettings) -> None:
    report, _ = fuzz(folder, seed=settings.seed, seconds=settings.seconds)
    print(report)


def _fidelity(folder: Path, settings: BenchSettings, *, peers: bool) -> None:
    results = fidelity_peers.beside_peers(folder) if peers else fidelity.matrix(folder)
    print((fidelity_peers if peers else fidelity).table(results))
    if settings.json:
        fidelity.write_json(settings.json, results)


def _report(title: str, values: Sequence[float] | np.ndarray) -> None:
    low, high = np.percentile(values, (5, 95))
    print(f"{title}: {np.median(values):.3f} ({low:.3f} to {high:.3f})", flush=True)


EXPERIMENTS: dict[str, Experiment] = {
    "loops": Experiment(
        "the app beside OpenCV's copy loop and a webcam demo's pipeline",
        partial(_compare_programs, "loops"),
    ),
    "copies": Experiment(
        "the app without analysis beside a PyAV copy loop", partial(_compare_programs, "copies")
    ),
    "yolo": Experiment(
        "the app beside `yolo predict` and a supervision script",
        partial(_compare_programs, "yolo"),
    ),
    "intervals": Experiment("--detection-interval smooth, and a still camera", _intervals),
    "sizes": Experiment("480p to 1080p; bytes and SSIM of the video", _sizes),
    "start": Experiment("time to the first frame, and to --help", _start),
    "latency": Experiment("from camera to window", _latency),
    "page": Experiment(
        "the live page: first picture, latency, cost of viewers",
        _page,
    ),
    "live": Experiment("frames and length of HLS, HTTP cameras and RTSP in the video", _live),
    "streams": Experiment("frames of eight cameras that are looked at, in all", _streams),
    "memory": Experiment(
        "memory, threads and open files over a long file",
        lambda folder, settings: print(memory(folder, settings.frames)),
    ),
    "day": Experiment(
        "the outputs of a live source alone, at speed: memory a day (--frames 2592000 for one)",
        lambda folder, settings: print(day(folder, settings.frames)),
    ),
    "soak": Experiment(
        "the same over a camera that drops out, and lost frames",
        lambda folder, settings: print(soak(folder, settings.seconds)),
    ),
    "siege": Experiment(
        "a recording while its page is besieged",
        lambda folder, settings: print(besiege(folder, settings.seconds)),
    ),
    "fuzz": Experiment("random requests to every route of the page", _fuzz),
    "archive": Experiment(
        "archives after faults drawn at random, beside a run from nothing; --rounds of them",
        _archive,
    ),
    "networks": Experiment("milliseconds of single networks", _networks),
    "fidelity": Experiment(
        "videos of every kind through the app: frames, times, sound, shape, colours",
        partial(_fidelity, peers=False),
    ),
    "fidelity-peers": Experiment(
        "the same through `yolo predict` and a supervision script", partial(_fidelity, peers=True)
    ),
}


def main(argv: list[str] | None = None) -> int:
    defaults = BenchSettings()
    arguments = argparse.ArgumentParser(
        prog="python -m realtime.bench",
        description="Time the app beside simpler programs, and its parts alone; what it keeps.",
        epilog="experiments:\n"
        + "\n".join(f"  {name:16s}{row.title}" for name, row in EXPERIMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("experiment", nargs="?", default="loops", choices=EXPERIMENTS, metavar="EXPERIMENT",
        help="one of those below (default loops)")  # fmt: skip
    add("--frames", type=int, default=defaults.frames, metavar="N",
        help=f"frames of a clip (default {defaults.frames})")  # fmt: skip
    add("--rounds", type=int, default=defaults.rounds, metavar="N",
        help=f"runs of each program, histories of archive (default {defaults.rounds})")  # fmt: skip
    add("--seconds", type=float, default=defaults.seconds, metavar="S",
        help="running time of the source in latency, live, streams, soak and page, of requests in "
        f"siege and fuzz (default {defaults.seconds:g})")  # fmt: skip
    add("--seed", type=int, default=defaults.seed, metavar="N",
        help=f"of the requests in fuzz (default {defaults.seed})")  # fmt: skip
    add("--clip", type=Path, metavar="FILE", help="what the cameras of streams show (the demo)")
    add("--plot", type=Path, metavar="FILE.png", help="plot of the table of loops, copies or yolo")
    add("--json", type=Path, metavar="FILE", help="every cell of fidelity or fidelity-peers")
    values = vars(arguments.parse_args(argv))
    experiment = values.pop("experiment")
    return exit_status(lambda: _run(experiment, BenchSettings(**values)))


def _run(name: str, settings: BenchSettings) -> int:
    if min(settings.frames, settings.rounds) < 1 or settings.seconds <= 0:
        raise UsageError("--frames and --rounds must be at least 1, --seconds above 0")
    print(f"{platform.machine()}, {settings.frames} frames, {settings.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        EXPERIMENTS[name].run(Path(folder), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
