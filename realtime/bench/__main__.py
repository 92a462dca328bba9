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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from realtime.assemble import make_analysis
from realtime.bench.clips import SIZES, Clip, build
from realtime.bench.endurance import memory, soak
from realtime.bench.latency import Slowed, ages
from realtime.bench.measure import ROOT, Run, compare, measured, plot, table, until_told
from realtime.bench.networks import BATCHES, classifier_times, detector_times
from realtime.bench.page import page
from realtime.bench.peers import FAST, PEERS, PREDICT, app
from realtime.bench.quality import f1_of_rows, ssim_of_videos
from realtime.flags import read_settings
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sources.open_source import open_source

CAMERA_RATE = 30
FIRST_FRAME = "(frame 1/"  # what `yolo predict` says after it
SLOWER = 3  # times the camera's pace that the slowed locator takes


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m realtime.bench",
        description="Time the app against simpler programs, and look at its parts.",
    )
    add = parser.add_argument
    add("what", nargs="?", default="loops", choices=(*PEERS, *PARTS), help="loops (default): the "
        "app beside OpenCV's copy loop and the reference's pipeline; copies: without an analysis; "
        "yolo: beside `yolo predict`; paces: of --detection-interval, and a still camera; sizes: "
        "480p to 1080p; start: time to the first frame; latency: from camera to overlay; memory: "
        "of a long run; soak: of one whose camera drops out; page: of --serve; networks: "
        "alone")  # fmt: skip
    add("--frames", type=int, default=600, help="of a clip (600)")
    add("--rounds", type=int, default=6, help="runs of each program (6)")
    add(
        "--seconds",
        type=float,
        default=60,
        help="of the camera of `latency`, `soak` and `page` (60)",
    )
    add("--plot", type=Path, metavar="FILE.png", help="a picture of the table")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if min(args.frames, args.rounds) < 1 or args.seconds <= 0:
        raise UsageError("--frames, --rounds and --seconds must be above 0")
    print(f"{platform.machine()}, {args.frames} frames, {args.rounds} rounds")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.what in PARTS:
            PARTS[args.what](folder, args)
        else:
            _against_peers(folder, args)
    return 0


def _against_peers(folder: Path, args: argparse.Namespace) -> None:
    try:
        contestants = PEERS[args.what](folder)
        clip = build(folder / "clip.mp4", Clip(args.frames, sound=args.what == "copies"))
        runs = compare(contestants, clip, folder, args.rounds)
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().splitlines()[-1]
        raise UsageError(f"a peer failed ({why}): pip install -r tests/requirements-bench.txt"
                         ) from error  # fmt: skip
    print(table(runs, args.frames))
    if args.plot:
        plot(args.plot, runs, args.frames, f"640x480, {args.frames} frames, whole processes")


def _sample(folder: Path, clip: Path, *flags: str) -> tuple[Run, dict]:
    """A run of the app with its own figures; rows in rows.jsonl, video in out/."""
    (folder / "out").mkdir(exist_ok=True)
    command = app("--stats", str(folder / "stats.json"), "--jsonl", str(folder / "rows.jsonl"),
                  *flags)  # fmt: skip
    run = measured(command(clip, folder / "out" / "out.mp4"), folder / "out")
    return run, json.loads((folder / "stats.json").read_text())


def _analysis_ms(clip: Path, *flags: str) -> float:
    """Milliseconds a frame of locating and classifying, one frame after the other."""
    analysis, stats = make_analysis(read_settings(flags).recognition), Stats()
    with open_source(str(clip)) as source:
        for frame in source:
            stats.read += 1
            analysis(frame, stats)
    stages = stats.report()["stages_ms"]
    total = sum(stages[name]["mean"] * stages[name]["count"] for name in ("locate", "classify"))
    return total / stats.read


def _paces(folder: Path, args: argparse.Namespace) -> None:
    """What looking at fewer frames saves and costs, and what a still scene does."""
    moving = build(folder / "moving.mp4", Clip(args.frames))
    still = build(folder / "still.mp4", Clip(args.frames, still=True))
    yolo = ("--locate", "yolo", "--detection-interval")
    _sample(folder, moving, *yolo, "every-frame")
    (folder / "rows.jsonl").rename(folder / "every.jsonl")
    _sample(folder, moving, *yolo, "smooth")
    loss = 1 - f1_of_rows(folder / "rows.jsonl", folder / "every.jsonl")
    shares, rests = [], []
    for _ in range(args.rounds):
        every = _analysis_ms(moving, *yolo, "every-frame")
        shares.append(_analysis_ms(moving, *yolo, "smooth") / every)
        rests.append(_analysis_ms(still, *yolo, "every-frame") / every)
    _say("smooth, analysis time over every-frame's", shares)
    print(f"smooth, rows that differ from every-frame's (1 - F1): {loss:.4f}")
    _say("still camera, analysis time over every-frame's", rests)


def _sizes(folder: Path, args: argparse.Namespace) -> None:
    """Cost of a pixel, by the size of the picture; and bytes at which quality."""
    per_pixel: dict[str, list[float]] = {size: [] for size in SIZES}
    clips = {size: build(folder / f"{size}.mp4", Clip(args.frames, size=size)) for size in SIZES}
    for _ in range(args.rounds):
        for size, clip in clips.items():
            _, report = _sample(folder, clip, *FAST)
            pixels = np.prod(SIZES[size]) * args.frames
            per_pixel[size].append(1e9 * report["seconds"] / pixels)
    for size, values in per_pixel.items():
        _say(f"{size}, ns a pixel", values)
        _say(f"{size}, over 480p's", list(np.array(values) / per_pixel["480p"]))
    run, _ = _sample(folder, clips["480p"], "--locate", "none", "--model", "deep")
    alike = ssim_of_videos(folder / "out" / "out.mp4", clips["480p"])
    print(f"480p, no analysis: {run.size / 1000:.0f} KB at an SSIM of {alike:.4f}")


def _start(folder: Path, args: argparse.Namespace) -> None:
    """Seconds from a process's start until its first frame is written, and until --help."""
    clip, first, helped = build(folder / "clip.mp4", Clip(args.frames)), [], []
    peer = next(one for one in PEERS["yolo"](folder) if one.name == PREDICT)
    theirs = []
    for _ in range(args.rounds + 1):
        run, report = _sample(folder, clip, "--locate", "yolo")
        first.append(run.seconds - report["seconds"] + report["first_frame_seconds"])
        theirs.append(until_told(peer.command(clip, folder / "theirs" / "out.mp4"), FIRST_FRAME))
        helped.append(measured([sys.executable, str(ROOT / "run_realtime.py"), "--help"]).seconds)
    _say("first frame written, s", first[1:])
    _say(f"{PREDICT}, first frame told, s", theirs[1:])
    _say("ours over theirs", np.array(first[1:]) / theirs[1:])
    _say("--help, s", helped[1:])


def _latency(folder: Path, args: argparse.Namespace) -> None:
    """Age of what is shown of a camera: as it is, and with a locator far too slow for it."""
    live = Recognition(model="yolo-names", locator="yolo", detection_interval="live")
    print(f"yolo, live: {ages(make_analysis(live), rate=CAMERA_RATE, seconds=args.seconds)}")
    for pace in ("live", "every-frame"):
        slow = make_analysis(replace(live, detection_interval=pace))
        slow.locate = Slowed(slow.locate, SLOWER / CAMERA_RATE)
        print(f"{SLOWER} times too slow, {pace}: "
              f"{ages(slow, rate=CAMERA_RATE, seconds=args.seconds)}", flush=True)  # fmt: skip


def _networks(folder: Path, args: argparse.Namespace) -> None:
    for batch in BATCHES:
        for name, times in classifier_times(batch).items():
            _say(f"{name}, batch {batch}, ms", times)
    for name, times in detector_times().items():
        _say(f"{name}, one step, ms", times)


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "paces": _paces, "sizes": _sizes, "start": _start, "latency": _latency,
    "memory": lambda folder, args: print(memory(folder, args.frames)),
    "soak": lambda folder, args: print(soak(folder, args.seconds)),
    "page": lambda folder, args: print(page(CAMERA_RATE, args.seconds, args.rounds)),
    "networks": _networks,
}  # fmt: skip


def _say(what: str, values) -> None:
    low, high = np.percentile(values, (5, 95))
    print(f"{what}: {np.median(values):.3f} ({low:.3f} to {high:.3f})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
