"""Flags of the live app, and the settings that they become. Imports nothing heavy."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from preprocessing.command import Arguments
from preprocessing.labels import CONFIDENCE_THRESHOLD
from realtime.analysis.detection_interval import DETECTION_INTERVALS
from realtime.analysis.locators import LOCATORS
from realtime.settings import (
    DEFAULT_MODEL,
    DEMO,
    STATS,
    Address,
    OutputSettings,
    Recognition,
    Settings,
    SourceSettings,
)
from realtime.sinks.table import SINKS
from training.inference.label_sources import LABEL_SOURCES, LOCATOR

# Equal to the tables of these names by a test: importing those here would cost half a second.
TRACKER_NAMES = ("overlap", "bytetrack", "ocsort")
ENGINE_NAMES = ("auto", "openvino", "torch")
DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
DEFAULT_ADDRESS = "127.0.0.1:8000"
DEMO_MODEL = "deep"  # the bundled clip shows garments of Fashion-MNIST
USAGE = "run_realtime.py [SOURCE ...] [-o FILE] [flags]"
EPILOG = """\
examples:
  python run_realtime.py                          webcam, in a window
  python run_realtime.py clip.mp4 -o out.mp4      video file
  python run_realtime.py photo.jpg -o out.jpg     picture
  python run_realtime.py rtsp://host/stream --jsonl rows.jsonl
  python run_realtime.py --demo -o demo.mp4       bundled clip
  python run_realtime.py 0 --serve                camera 0, in the browser
  python run_realtime.py a.mp4 'cam/*.mp4' -o labelled
  python run_realtime.py 'fake://30fps?drop=5%&stall=3s'    a simulated camera

exit status:
  0 success; 2 wrong flag; 3 source cannot be opened; 4 source ended early (its
  frames are kept); 5 output cannot be written; 6 weight file; 7 device or
  engine; 129, 130, 143 ended by a signal (outputs are complete). With several
  sources, the status of the first that failed.
"""
# Flags of ffmpeg, yolo and the like.
HINTS = {
    **dict.fromkeys(("-i", "--input", "--source", "--src", "--file", "--url"), "--video"),
    **dict.fromkeys(("--output", "--save", "--save-video", "--dst", "-O"), "-o"),
    **dict.fromkeys(("--save-txt", "--save-json", "--json"), "--jsonl"),
    **dict.fromkeys(("--save-crop", "--save-crops"), "--crops"),
    **dict.fromkeys(("--view", "--view-img", "--display", "--window"), "--show"),
    **dict.fromkeys(("--weights", "-m", "--network"), "--model"),
    **dict.fromkeys(("--conf", "--conf-thres", "--score"), "--detection-confidence"),
    **dict.fromkeys(("--classes", "--class"), "--only"),
    **dict.fromkeys(("--detector", "--locator"), "--locate"),
    **dict.fromkeys(("--web", "--port", "--host", "--http"), "--serve"),
    **dict.fromkeys(("--cam", "--webcam"), "--camera"),
    **dict.fromkeys(("--gpu", "--cuda"), "--device cuda"),
    **dict.fromkeys(("--thresh", "--thr"), "--label-threshold"),
    "--tracker": "--track",
    "--color": "--colour",
}


def read_settings(argv: Sequence[str] | None = None) -> Settings:
    """Return the settings that the flags of run_realtime.py ask for.

    Raises:
        UsageError: a number is out of range.
        SystemExit: a flag is wrong, or --help was given.
    """
    arguments = argument_parser()
    values = arguments.parse(argv)
    addresses = tuple(map(_address, (*values.sources, *values.video)))
    if bool(addresses) + (values.camera is not None) + values.demo > 1:
        arguments.error("give one of SOURCE, --camera and --demo")
    if values.camera is not None:
        addresses = (values.camera,)
    if values.demo:
        addresses, values.model = (str(DEMO),), values.model or DEMO_MODEL
    return Settings(
        command=values.command,
        source=SourceSettings(
            addresses=addresses, reconnect=values.reconnect, hwaccel=values.hwaccel
        ),
        outputs=OutputSettings(
            paths={name: path for name in (*SINKS, STATS) if (path := getattr(values, name))},
            audio=not values.no_audio,
        ),
        recognition=recognition_of(values),
        show=values.show,
        serve=values.serve,
        log=values.log,
    )


def argument_parser() -> Arguments:
    """Return the flags of run_realtime.py."""
    made = Arguments(
        prog="run_realtime.py",
        usage=USAGE,
        description="Find, label and track garments in live video, video files and pictures.",
        epilog=EPILOG,
        hints=HINTS,
    )
    _add_source(made.add_argument_group("source (default: camera 0)"))
    _add_outputs(made.add_argument_group("output, in any combination (default: a window)"))
    add_recognition_flags(made)
    _add_diagnostics(made.add_argument_group("diagnostics"))
    return made


def _add_source(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="video, picture, folder of pictures, camera number or stream (rtsp, rtmp, http, tcp, "
        "udp); several of them, a folder of videos or a pattern: streams and cameras at the same "
        "time, files one after the other, and each output is a folder",
    )
    add("--video", nargs="+", default=[], metavar="SOURCE", help="same as SOURCE, as a flag")
    add("--camera", type=int, metavar="N", help="camera number")
    add("--demo", action="store_true", help="the bundled clip")
    add(
        "--reconnect",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long to reopen a camera or stream that stalls or ends (default 0: not at all); "
        "the gap stays in the output",
    )
    add(
        "--hwaccel",
        default="",
        metavar="DEVICE",
        help="decode files and streams on cuda, vaapi, ... (default: on the CPU)",
    )


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name, row in SINKS.items():
        spellings = (row.letter, f"--{name}") if row.letter else (f"--{name}",)
        add(*spellings, type=Path, metavar="DIR" if row.is_folder else "FILE", help=row.help)
    add(f"--{STATS}", type=Path, metavar="FILE", help="frame counts and stage times as JSON")
    add("--no-audio", action="store_true", help="no audio track in the labelled video")
    add("--show", action="store_true", help="open a window beside other outputs")
    add(
        "--serve",
        nargs="?",
        const=DEFAULT_ADDRESS,
        metavar="HOST:PORT",
        help="web page with the labelled stream and its controls, instead of the window and where "
        f"no window can open (default {DEFAULT_ADDRESS}); other machines need the token in the "
        "printed address, set by the environment variable GARMENTS_TOKEN or new at each start",
    )


def add_recognition_flags(arguments: argparse.ArgumentParser) -> None:
    """Add the flags that `recognition_of` reads."""
    _add_recognition(arguments.add_argument_group("recognition"))
    _add_speed(arguments.add_argument_group("speed and hardware"))


def _add_recognition(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--model",
        metavar="NAME|FILE",
        help="classifier: a name of --list-models or a weight file (default "
        f"{DEFAULT_MODEL}; {LOCATORS['yolo'].classifier} with --locate yolo; {DEMO_MODEL} with "
        "--demo)",
    )
    add(
        "--locate",
        default="auto",
        choices=("auto", *LOCATORS),
        metavar="METHOD",
        help=f"how garments are found: {', '.join(LOCATORS)} (default: parser for models of "
        "photos, yolo for its own model, else segment)",
    )
    _add_renamed(
        group,
        "--label-source",
        old="--name-by",
        type=_label_source,
        choices=LABEL_SOURCES,
        help="what labels the garments of a detector or the parser: its own class scores, the "
        "classifier, or both (default both; locator if yolo and the model know different classes)",
    )
    _add_renamed(
        group,
        "--label-threshold",
        old="--threshold",
        type=float,
        default=CONFIDENCE_THRESHOLD,
        metavar="P",
        help="minimum probability of a label; below it a garment is unknown (0 to 1, default "
        f"{CONFIDENCE_THRESHOLD})",
    )
    _add_renamed(
        group,
        "--detection-confidence",
        old="--confidence",
        type=float,
        metavar="P",
        help="minimum score of a detection (0 to 1, default: the network's own)",
    )
    add("--only", metavar="A,B,...", help="classes to detect (default: all)")
    _add_renamed(
        group,
        "--pose",
        old="--joints",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="use pose keypoints for sleeve and leg length (default: with the parser and "
        "--label-source both, once `python -m training.inference.pose_files install` was run)",
    )
    add(
        "--track",
        default="overlap",
        choices=TRACKER_NAMES,
        help="how garments keep their numbers from frame to frame (default overlap; the others "
        "need the package trackers)",
    )
    add("--attributes", metavar="FILE", help="attribute model; adds its predictions to the labels")
    add("--colour", action="store_true", help="add each garment's colour to its label")


def _add_speed(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _add_renamed(
        group,
        "--detection-interval",
        old="--latency",
        default="auto",
        choices=("auto", *DETECTION_INTERVALS),
        help="frames on which garments are detected: every-frame; smooth: every third, with a "
        "detector every fourth, and optical flow between; live: at most half of the time (default "
        "auto: smooth for networks and grabcut, else every-frame)",
    )
    add("--engine", default="auto", choices=ENGINE_NAMES, help="runtime of the networks "
        "(default auto: torch with a GPU, else openvino)")  # fmt: skip
    add("--device", default="auto", choices=DEVICE_NAMES, help="processor of the networks "
        "(default auto: a GPU if torch is installed and has one, else cpu)")  # fmt: skip
    add(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="CPU threads of each network (default 1)",
    )


def _add_diagnostics(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(command="run")
    add = group.add_argument
    add(
        "--log",
        type=Path,
        metavar="FILE",
        help="append timestamped lines to FILE: sources opened, lost and back, models, dropped "
        "frames, outputs, errors with their traceback",
    )
    for command, purpose in (
        ("list-models", "print the committed models"),
        ("doctor", "check hardware, codecs, packages and weights, and print fixes"),
        ("version", "print the versions of this program and of what it runs on"),
    ):
        add(f"--{command}", action="store_const", dest="command", const=command, help=purpose)


def _add_renamed(group: argparse._ArgumentGroup, name: str, *, old: str, **options: Any) -> None:
    """Add a flag whose old spelling still works, hidden from --help, for one release."""
    action = group.add_argument(name, **options)
    hidden = {"dest": action.dest, "help": argparse.SUPPRESS, "default": argparse.SUPPRESS}
    group.add_argument(old, **options | hidden)


def recognition_of(values: argparse.Namespace) -> Recognition:
    """Return the recognition settings of parsed flags.

    Raises:
        UsageError: a number is out of range.
    """
    row = LOCATORS.get(values.locate)
    return Recognition(
        model=values.model or (row and row.classifier) or DEFAULT_MODEL,
        locator=values.locate,
        label_source=values.label_source,
        detection_confidence=values.detection_confidence,
        only=tuple(values.only.split(",")) if values.only else (),
        pose=values.pose,
        label_threshold=values.label_threshold,
        detection_interval=values.detection_interval,
        tracker=values.track,
        attributes=values.attributes,
        colour=values.colour,
        engine=values.engine,
        device=values.device,
        threads=values.threads,
    )


def _address(text: str) -> Address:
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else text


def _label_source(text: str) -> str:
    return LOCATOR if text == "detector" else text  # its old spelling
