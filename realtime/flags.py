"""Flags of the live app, and the settings that they become. Imports nothing heavy."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from preprocessing.flags import Arguments, add_fields, read_fields
from realtime.analysis.live.latency import EXACT
from realtime.analysis.zones.flags import GROUP as ZONES
from realtime.analysis.zones.flags import add_zone_flags, zone_settings
from realtime.runtime.config_files import FLAG as CONFIG
from realtime.runtime.config_files import config_of, read_config
from realtime.runtime.standard_output import DASH, STDOUT
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
from realtime.sinks.encoders import AUTO, DEFAULT, ENCODERS
from realtime.sinks.events.settings import EventSettings
from realtime.sinks.sink_table import SINKS, STATS, OutputSettings
from realtime.sources import DEMO
from realtime.sources.addresses import OUTPUT_SCHEMES, STDIN, has_scheme, read_address
from realtime.sources.devices import camera_number, device_number

USAGE = "run_realtime.py [SOURCE ...] [-o FILE] [flags]"
EPILOG = """\
examples:
  python run_realtime.py                          webcam, in a window
  python run_realtime.py clip.mp4 -o out.mp4      video file
  python run_realtime.py day.mp4 --start 1:30:00 --end 1:45:00 -o part.mp4
  python run_realtime.py day.mp4 --every 60 --csv minutes.csv
  python run_realtime.py photo.jpg -o out.jpg     picture; printed without -o
  python run_realtime.py a.jpg b.heic -o labelled    pictures, each by its name
  python run_realtime.py rtsp://host/stream --jsonl rows.jsonl
  python run_realtime.py --demo -o demo.mp4       bundled clip
  python run_realtime.py 0 --serve                camera 0, in the browser
  python run_realtime.py --camera Logitech --camera-size 1280x720
  python run_realtime.py a.mp4 'cam/*.mp4' -o labelled
  COMMAND | python run_realtime.py - -o - | ffplay -      pipes
  python run_realtime.py rtsp://host/stream -o rtmp://server/live/key
  python run_realtime.py 'fake://30fps?drop=5%&stall=3s'    a simulated camera

exit status:
  0 success; 2 wrong flag; 3 source cannot be opened; 4 source ended early (its
  frames are kept); 5 output cannot be written; 6 weight file; 7 device or
  engine; 141 the reader of - or a pipe closed it, as head does (other outputs
  are kept); 129, 130, 143 ended by a signal (outputs are complete; of a file
  that existed before, the new part is beside it as NAME.part). With several
  sources, the status of the first that failed.
"""
OF_SOURCES = ("--camera=", "--demo", "--video=")  # that a file may name
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
    **dict.fromkeys(("--cam", "--webcam", "--device-index"), "--camera"),
    **dict.fromkeys(("--size", "--resolution", "--video-size", "-s"), "--camera-size"),
    **dict.fromkeys(("--fps", "--framerate", "-r"), "--camera-fps"),
    **dict.fromkeys(("--fourcc", "--input-format"), "--camera-format"),
    "--gpu": "--device gpu",
    "--cuda": "--device cuda",
    **dict.fromkeys(("--thresh", "--thr"), "--label-threshold"),
    **dict.fromkeys(("-ss", "--ss", "--seek", "--from", "--begin"), "--start"),
    **dict.fromkeys(("-to", "-t", "--to", "--until", "--duration", "--for"), "--end"),
    **dict.fromkeys(("--vid-stride", "--stride", "--interval"), "--every"),
    "--tracker": "--track",
    "--color": "--colour",
}


def read_settings(argv: Sequence[str] | None = None) -> Settings:
    """Return the settings that the flags of run_realtime.py ask for.

    Raises:
        UsageError: a number is out of range.
        SourceError: no camera has the name.
        SystemExit: a flag is wrong, or --help was given.
    """
    arguments = argument_parser()
    values = _with_config(arguments, list(sys.argv[1:] if argv is None else argv))
    addresses = tuple(map(_address, (*values.sources, *values.video)))
    if bool(addresses) + (values.camera is not None) + values.demo > 1:
        arguments.error("give one of SOURCE, --camera and --demo")
    if addresses.count(STDIN) > 1:
        arguments.error("stdin can be read once: give - once")
    if values.camera is not None:
        addresses = (camera_number(values.camera),)
    if values.demo:
        addresses = (str(DEMO),)
    source = read_fields(SourceSettings, values, addresses=addresses)
    recognition = recognition_of(values, model=DEMO_MODEL if values.demo else None)
    if source.every and recognition.detection_interval == "auto":
        # Optical flow does not lead from one frame to the next.
        recognition = replace(recognition, detection_interval="every-frame", latency=EXACT)
    outputs = {
        name: place
        for name in (*SINKS, STATS)
        if (place := getattr(values, name.replace("-", "_")))
    }
    stream = outputs.pop("out") if isinstance(outputs.get("out"), str) else ""
    for name, place in outputs.items():
        if isinstance(place, str):
            arguments.error(f"--{name} cannot go to {place}: only the video of -o can")
    return Settings(
        command=values.command,
        source=source,
        outputs=OutputSettings(
            paths=outputs,
            stream=stream,
            audio=not values.no_audio,
            encoder=values.encoder,
            place=values.place,
            events=read_fields(EventSettings, values),
        ),
        recognition=recognition,
        show=values.show,
        serve=values.serve,
        page=read_fields(PageSettings, values),
        log=values.log,
        find=values.find,
        zones=zone_settings(values),
    )


def _with_config(arguments: Arguments, given: list[str]) -> argparse.Namespace:
    """The values of a command line, and behind them those of the file that its --config names.

    The file's source counts where the command line has none.
    """
    config = config_of(given)
    if config is None:
        return arguments.parse(given)
    values = arguments.parse(given)
    sources, words = read_config(config, arguments._actions)
    if values.sources or values.video or values.camera is not None or values.demo:
        return arguments.parse([*(w for w in words if not w.startswith(OF_SOURCES)), *given])
    return arguments.parse([*words, *given, *sources])


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
    add_zone_flags(made.add_argument_group(ZONES))
    add_fields(made, EventSettings)
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
        "order), - for stdin, camera number or stream (rtsp, rtmp, http, tcp, udp, rtp, srt); "
        "several of them, a folder of videos or a pattern: streams and cameras at the same time, "
        "files one after the other, and each output is a folder",
    )
    add("--video", nargs="+", default=[], metavar="SOURCE", help="same as SOURCE, as a flag")
    add(
        "--camera",
        metavar="N|NAME",
        help="camera of this machine: its number, /dev/video0, or a part of its name; --doctor "
        "lists them",
    )
    add("--demo", action="store_true", help="the bundled clip")
    add(
        CONFIG,
        type=Path,
        metavar="FILE.toml",
        help="settings of a camera: any of these flags by name, and source; flags win over it",
    )


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name, row in SINKS.items():
        spellings = (row.letter, f"--{name}") if row.letter else (f"--{name}",)
        add(*spellings, type=_output, metavar="DIR" if row.is_folder else "FILE", help=row.help)
    add(f"--{STATS}", type=_output, metavar="FILE", help="frame counts and stage times as JSON")
    add(
        "--encoder",
        choices=(AUTO, *ENCODERS),
        default=DEFAULT,
        metavar="NAME",
        help=f"encoder of the labelled video: {', '.join(ENCODERS)}; auto: H.264 by a graphics "
        f"card if one opens here, else {DEFAULT} (default {DEFAULT})",
    )
    add(
        "--find",
        default="",
        metavar="WORDS",
        help='mark the garments that fit, such as "red jacket", in pictures and rows; not on the '
        "page",
    )
    add("--place", default="", metavar="WORDS", help="where the camera is, for --index")
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
        type=_log_file,
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
    if re.fullmatch("[0-9]{1,3}", text):
        return int(text)
    number = device_number(text)
    return read_address(text) if number is None else number


def _log_file(text: str) -> Path:
    """A path; log lines for the terminal are on stderr anyway."""
    found = _output(text)
    if found == STDOUT or isinstance(found, str):
        raise argparse.ArgumentTypeError(f"name a file, got {text}: warnings go to stderr anyway")
    return found


def _output(text: str) -> Path | str:
    """A path, STDOUT for "-", or the URL of a server.

    Raises:
        argparse.ArgumentTypeError: nothing can be sent to an address of this kind.
    """
    if text == DASH:
        return STDOUT
    address = read_address(text)
    if not has_scheme(address):
        return Path(address)
    if not address.startswith(OUTPUT_SCHEMES):
        raise argparse.ArgumentTypeError(
            f"cannot send to {text}: wanted a file, or one of {' '.join(OUTPUT_SCHEMES)}"
        )
    return address
