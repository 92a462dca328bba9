"""Flags of the live app, and the settings that they become. Imports nothing heavy."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from preprocessing.flags import Arguments, add_fields, read_fields
from realtime.settings import (
    DEFAULT_ADDRESS,
    DEMO_MODEL,
    SOURCE,
    Address,
    PageSettings,
    Recognition,
    Settings,
    SourceSettings,
    recognition_of,
)
from realtime.sinks.sink_table import SINKS, STATS, OutputSettings
from realtime.sources import DEMO

USAGE = "run_realtime.py [SOURCE ...] [-o FILE] [flags]"
EPILOG = """\
examples:
  python run_realtime.py                          webcam, in a window
  python run_realtime.py clip.mp4 -o out.mp4      video file
  python run_realtime.py photo.jpg -o out.jpg     picture; printed without -o
  python run_realtime.py a.jpg b.heic -o labelled    pictures, each by its name
  python run_realtime.py rtsp://host/stream --jsonl rows.jsonl
  python run_realtime.py --demo -o demo.mp4       bundled clip
  python run_realtime.py 0 --serve                camera 0, in the browser
  python run_realtime.py a.mp4 'cam/*.mp4' -o labelled
  python run_realtime.py 'fake://30fps?drop=5%&stall=3s'    a simulated camera

exit status:
  0 success; 2 wrong flag; 3 source cannot be opened; 4 source ended early (its
  frames are kept); 5 output cannot be written; 6 weight file; 7 device or
  engine; 129, 130, 143 ended by a signal (outputs are complete; of a file that
  existed before, the new part is beside it as NAME.part). With several sources,
  the status of the first that failed.
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
        addresses = (str(DEMO),)
    paths = {name: path for name in (*SINKS, STATS) if (path := getattr(values, name))}
    return Settings(
        command=values.command,
        source=read_fields(SourceSettings, values, addresses=addresses),
        outputs=OutputSettings(paths=paths, audio=not values.no_audio),
        recognition=recognition_of(values, model=DEMO_MODEL if values.demo else None),
        show=values.show,
        serve=values.serve,
        page=read_fields(PageSettings, values),
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
    _add_source(made.add_argument_group(SOURCE))
    add_fields(made, SourceSettings)
    _add_outputs(made.add_argument_group("output, in any combination (default: a window)"))
    add_fields(made, Recognition)
    add_fields(made, PageSettings)
    _add_diagnostics(made.add_argument_group("diagnostics"))
    return made


def _add_source(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="video, picture (printed if there is no output), folder of pictures (in natural "
        "order), camera number or stream (rtsp, rtmp, http, tcp, udp); several of them, a folder "
        "of videos or a pattern: streams and cameras at the same time, files one after the other, "
        "and each output is a folder",
    )
    add("--video", nargs="+", default=[], metavar="SOURCE", help="same as SOURCE, as a flag")
    add("--camera", type=int, metavar="N", help="camera number")
    add("--demo", action="store_true", help="the bundled clip")


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
        f"no window can open (default {DEFAULT_ADDRESS}); the printed addresses hold the tokens of "
        "admins and of viewers, set by GARMENTS_TOKEN and GARMENTS_VIEWER_TOKEN in the environment "
        "or new at each start",
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


def _address(text: str) -> Address:
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else text
