"""The experiments of `python -m realtime.bench`: EXPERIMENTS, the table of them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from preprocessing.errors import UsageError
from realtime.bench.fidelity import matrix as fidelity
from realtime.bench.fidelity import peers as fidelity_peers
from realtime.bench.live.endurance import day, memory, soak
from realtime.bench.live.fuzz import fuzz
from realtime.bench.live.latency import SlowedLocator, measure_latency, measure_page
from realtime.bench.live.siege import besiege
from realtime.bench.live.sources import measure_live
from realtime.bench.live.streams import measure_streams
from realtime.bench.settings import BenchSettings
from realtime.bench.speed import app_costs
from realtime.bench.speed.app_costs import YOLO
from realtime.bench.speed.clips import Clip, build
from realtime.bench.speed.measure import compare, plot, table
from realtime.bench.speed.peers import PEERS
from realtime.bench.speed.side_by_side import side_by_side
from realtime.bench.speed.summary import text
from realtime.library.assemble import make_analysis

CAMERA_RATE = 30  # frames a second
STREAMS, STREAM_RATES = 8, (15, 60)
SLOWDOWN = 3  # times the camera's frame interval that the slowed locator takes


@dataclass(frozen=True)
class Experiment:
    """A row of EXPERIMENTS.

    Attributes:
        run: prints the results; its folder is scratch.
        frames: of a clip, where no other number is asked for.
    """

    title: str
    run: Callable[[Path, BenchSettings], None]
    frames: int = 600


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
                                clip=settings.video)  # fmt: skip
        print(f"{count} at {rate} fps: {found}", flush=True)


def _archive(folder: Path, settings: BenchSettings) -> None:
    from realtime.bench.live.histories import live  # its processes need Linux

    print(live(folder, seed=0, count=settings.rounds))


def _fuzz(folder: Path, settings: BenchSettings) -> None:
    report, _ = fuzz(folder, seed=settings.seed, seconds=settings.seconds)
    print(report)


def _fidelity(folder: Path, settings: BenchSettings, *, peers: bool) -> None:
    results = fidelity_peers.beside_peers(folder) if peers else fidelity.matrix(folder)
    print((fidelity_peers if peers else fidelity).table(results))
    if settings.json:
        fidelity.write_json(settings.json, results)


def _side_by_side(folder: Path, settings: BenchSettings) -> None:
    results = side_by_side(folder, settings, partial(print, flush=True))
    print(text(results))


EXPERIMENTS: dict[str, Experiment] = {
    "side-by-side": Experiment(
        "the app on every engine beside other programs and limits; cost against cores, streams, "
        "frame size, people; --html FILE for a page",
        _side_by_side,
        frames=240,
    ),
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
    "intervals": Experiment("--detection-interval smooth, and a still camera", app_costs.intervals),
    "sizes": Experiment("480p to 1080p; bytes and SSIM of the video", app_costs.sizes),
    "start": Experiment("time to the first frame, and to --help", app_costs.start),
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
    "networks": Experiment("milliseconds of single networks", app_costs.networks),
    "fidelity": Experiment(
        "videos of every kind through the app: frames, times, sound, shape, colours",
        partial(_fidelity, peers=False),
    ),
    "fidelity-peers": Experiment(
        "the same through `yolo predict` and a supervision script", partial(_fidelity, peers=True)
    ),
}
