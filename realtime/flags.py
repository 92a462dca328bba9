"""The flags of the live app. Imports nothing heavy, so that --help answers at once."""

import argparse
from pathlib import Path

from preprocessing.labels import SURE
from training.detection.recipes import NAMERS

# Held equal to the registries by a test: importing those here would cost half a second.
LOCATOR_NAMES = (
    "segment",
    "grabcut",
    "green",
    "motion",
    "yolo",
    "yolo-photo",
    "parser",
    "whole",
    "none",
)
# The networks that locate, and who names what they find unless a flag says so.
NAMED_BY = {"yolo": "both", "yolo-photo": "both", "parser": "both"}
ASSOCIATOR_NAMES = ("overlap", "bytetrack", "ocsort")
PACE_NAMES = ("every-frame", "smooth", "live")
SLOW = (*NAMED_BY, "grabcut")  # locators that are worth following between two looks
ENGINE_NAMES = ("auto", "openvino", "torch")
DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
# Flags that name a file or a folder to write.
FILES = ("out", "jsonl", "csv", "parquet", "srt", "vtt", "report", "stats")
STREAMS = ("jsonl", "csv", "srt", "vtt")  # those that a pipe can take
OUTPUT_FOLDERS = ("snapshots", "crops")
DEMO = Path(__file__).parent / "sources" / "demo.mp4"
DEFAULT_ADDRESS = "127.0.0.1:8000"
DEFAULT_MODEL = "photo"
DEMO_MODEL = "deep"  # the bundled clip shows garments of Fashion-MNIST
EPILOG = """\
exit status: 0 done, 2 wrong flag, 3 no such source, 4 source broke off (its frames are kept),
5 output cannot be written, 6 weights, 7 device or engine, 129/130/143 ended by a signal (the
output is finished and playable); of several videos that of the first that failed.

examples:
  python run_realtime.py                                  the webcam, in a window
  python run_realtime.py --video in.mp4 -o out.mp4        a file
  python run_realtime.py --video rtsp://host/stream --jsonl rows.jsonl
  python run_realtime.py --demo -o demo.mp4               the bundled clip
  python run_realtime.py --video a.mp4 'cam/*.mp4' -o labelled
"""


def parser() -> argparse.ArgumentParser:
    """The flags of run_realtime.py."""
    made = argparse.ArgumentParser(
        prog="run_realtime.py",
        description="Find, name and follow garments in video.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_source(made.add_argument_group("source (default: camera 0, in a window)"))
    _add_outputs(made.add_argument_group("output, any of them together"))
    add_recognition(made.add_argument_group("recognition"))
    made.add_argument("--list-models", action="store_true", help="print the committed models")
    made.add_argument(
        "--doctor", action="store_true", help="try what this machine has, and say what mends it"
    )
    return made


def _add_source(group: argparse._ArgumentGroup) -> None:
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--video",
        nargs="+",
        metavar="FILE|URL",
        help="video, picture, folder of pictures, or rtsp/http/tcp/udp stream; several of them, a "
        "folder of videos or a pattern: addresses side by side, files one after the other, the "
        "outputs being folders; fake://30fps?drop=5%%&stall=3s&resize=1&for=10s&breaks=1000 is a "
        "camera for rehearsals",
    )
    source.add_argument("--camera", type=int, metavar="N", help="camera number")
    source.add_argument("--demo", action="store_true", help="the bundled clip")
    group.add_argument(
        "--reconnect",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long a camera or stream that stalls or breaks off is opened again (default: not "
        "at all); its gap stays a gap in the output",
    )
    group.add_argument(
        "--hwaccel",
        default="",
        metavar="DEVICE",
        help="what decodes files and streams: cuda, vaapi, ... (default: the CPU)",
    )


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="labelled video (.mp4 .mov .mkv) or .png/.jpg",
    )
    add("--no-audio", action="store_true", help="leave the source's audio out of the video")
    add("--show", action="store_true", help="a window (the default without other output)")
    add(
        "--serve",
        nargs="?",
        const=DEFAULT_ADDRESS,
        metavar="HOST:PORT",
        help="a page with the labelled stream and its controls, which takes the window's place "
        f"where there is no display (default {DEFAULT_ADDRESS}); off this machine it asks for a "
        "token, that of the environment variable GARMENTS_TOKEN or a new one",
    )
    add("--jsonl", type=Path, metavar="FILE", help="a row of JSON a garment and frame")
    add("--csv", type=Path, metavar="FILE", help="the same rows as CSV")
    add("--parquet", type=Path, metavar="FILE", help="the same rows as Parquet (needs pyarrow)")
    add("--srt", type=Path, metavar="FILE", help="the labels as subtitles")
    add("--vtt", type=Path, metavar="FILE", help="the same for browsers")
    add("--snapshots", type=Path, metavar="DIR", help="a PNG when a garment is first named")
    add("--crops", type=Path, metavar="DIR", help="the best picture of every garment")
    add("--report", type=Path, metavar="FILE.html", help="a page of what was seen when")
    add("--stats", type=Path, metavar="FILE", help="counts and stage times as JSON")


def add_recognition(group: argparse._ArgumentGroup) -> None:
    """The flags that choose networks and locators."""
    add = group.add_argument
    add(
        "--model",
        help=f"committed model or weight file (default {DEFAULT_MODEL}; for --locate yolo "
        f"{NAMERS['yolo']}; for --demo {DEMO_MODEL})",
    )
    add(
        "--locate",
        default="auto",
        choices=("auto", *LOCATOR_NAMES),
        help="how garments are found (default auto: parser for models of photos, yolo for "
        "its own, else segment)",
    )
    add(
        "--name-by",
        choices=("detector", "classifier", "both"),
        help="who names what a detector or parser found (default: both together; of yolo it alone "
        "where the model knows other classes)",
    )
    add("--confidence", type=float, metavar="P", help="least score of what it finds")
    add("--only", metavar="A,B,...", help="classes that it looks for (default all)")
    add(
        "--joints",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="look for arms and legs too, which tell sleeves and trousers where garments are worn "
        "(default: with the parser and --name-by both, where `python -m "
        "training.inference.pose_files install` has got the networks)",
    )
    add(
        "--threshold",
        type=float,
        default=SURE,
        metavar="P",
        help=f"probability under which a garment is unknown (default {SURE})",
    )
    add(
        "--latency",
        default="auto",
        choices=("auto", *PACE_NAMES),
        help="how often garments are looked for: in every frame; in every third, of detectors in "
        "every fourth, followed between (smooth); as often as leaves half of the time (live). "
        "Default auto: smooth for networks and grabcut, else every-frame",
    )
    add(
        "--track",
        default="overlap",
        choices=ASSOCIATOR_NAMES,
        help="how garments keep their numbers: by overlap (default), or ByteTrack or OC-SORT of "
        "the library `trackers`",
    )
    add("--attributes", metavar="WEIGHTS", help="a model of attributes, told of every garment")
    add("--colour", action="store_true", help="tell each garment's colour on its label as well")
    add("--engine", default="auto", choices=ENGINE_NAMES, help="what runs the network")
    add("--device", default="auto", choices=DEVICE_NAMES, help="where it runs")
    add("--threads", type=int, default=1, metavar="N", help="of the network on a CPU (default 1)")
