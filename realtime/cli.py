"""Command line of the live app: flags -> objects -> run -> exit status.

The heavy modules are imported after the flags are read, so that --help answers at once.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from preprocessing.command import exit_status
from preprocessing.errors import SinkError, UsageError

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
NAMED_BY = {"yolo": "detector", "yolo-photo": "both", "parser": "both"}
ASSOCIATOR_NAMES = ("overlap", "bytetrack", "ocsort")
PACE_NAMES = ("every-frame", "smooth", "live")
SLOW = (*NAMED_BY, "grabcut")  # locators that are worth following between two looks
ENGINE_NAMES = ("auto", "openvino", "torch")
DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
FILES = ("out", "jsonl", "csv", "srt", "vtt", "stats")  # flags that name a file to write
DEMO = Path(__file__).with_name("demo.mp4")
DEFAULT_MODEL = "photo"
DEMO_MODEL = "deep"  # the bundled clip shows garments of Fashion-MNIST
DEFAULT_THRESHOLD = 0.5
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
    group = made.add_argument_group("source (default: camera 0, in a window)")
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--video",
        nargs="+",
        metavar="FILE|URL",
        help="video, picture, folder of pictures, or rtsp/http/tcp/udp stream; several of them, a "
        "folder of videos or a pattern: one after the other, the outputs being folders",
    )
    source.add_argument("--camera", type=int, metavar="N", help="camera number")
    source.add_argument("--demo", action="store_true", help="the bundled clip")
    out = made.add_argument_group("output, any of them together")
    add = out.add_argument
    add(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="labelled video (.mp4 .mov .mkv) or .png/.jpg",
    )
    add("--no-audio", action="store_true", help="leave the source's audio out of the video")
    add("--show", action="store_true", help="a window (the default without other output)")
    add("--jsonl", type=Path, metavar="FILE", help="a row of JSON a garment and frame")
    add("--csv", type=Path, metavar="FILE", help="the same rows as CSV")
    add("--srt", type=Path, metavar="FILE", help="the labels as subtitles")
    add("--vtt", type=Path, metavar="FILE", help="the same for browsers")
    add("--snapshots", type=Path, metavar="DIR", help="a PNG when a garment is first named")
    add("--stats", type=Path, metavar="FILE", help="counts and stage times as JSON")
    add_recognition(made.add_argument_group("recognition"))
    made.add_argument("--list-models", action="store_true", help="print the committed models")
    return made


def add_recognition(group: argparse._ArgumentGroup) -> None:
    """The flags that choose networks and locators."""
    add = group.add_argument
    add(
        "--model",
        help=f"committed model or weight file (default {DEFAULT_MODEL}; for --demo {DEMO_MODEL})",
    )
    add(
        "--locate",
        default="auto",
        choices=("auto", *LOCATOR_NAMES),
        help="how garments are found (default auto: parser for models of photos, else segment)",
    )
    add(
        "--name-by",
        choices=("detector", "classifier", "both"),
        help="who names what a detector or parser found (default: yolo itself, else both)",
    )
    add(
        "--confidence",
        type=float,
        metavar="P",
        help="least score of what it finds",
    )
    add("--only", metavar="A,B,...", help="classes that it looks for (default all)")
    add(
        "--threshold",
        type=float,
        default=DEFAULT_THRESHOLD,
        metavar="P",
        help=f"probability under which a garment is unknown (default {DEFAULT_THRESHOLD})",
    )
    add(
        "--latency",
        default="auto",
        choices=("auto", *PACE_NAMES),
        help="how often garments are looked for: in every frame; in every third, followed between "
        "(smooth); as often as leaves half of the time (live). Default auto: smooth for networks "
        "and grabcut, else every-frame",
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


def main(argv: list[str] | None = None) -> int:
    """Run the app; the exit status is documented in --help."""
    args = parser().parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.list_models:
        from realtime.models import table

        print(table())
        return 0
    from realtime.many import run_many, sources_of

    sources = sources_of(args.video or [])
    _check(args)
    if len(sources) > 1:
        return run_many(sources, args, _run_one)
    args.video = sources[0] if sources else args.video
    return _run_one(args)[0]


def _run_one(args: argparse.Namespace) -> tuple[int, dict]:
    """Run one source; its exit status and report."""
    _check_outputs(args)
    from realtime.sources import open_source

    with open_source(args.video, args.camera) as source:
        return _process(source, args)


def _check(args: argparse.Namespace) -> None:
    """Everything about the flags that can be found wrong before anything is opened.

    Raises:
        UsageError: a number is out of range.
    """
    if args.demo:
        args.video, args.model = str(DEMO), args.model or DEMO_MODEL
    check_recognition(args)
    if args.camera is not None and args.camera < 0:
        raise UsageError(f"--camera must be 0 or more, got {args.camera}")


def _check_outputs(args: argparse.Namespace) -> None:
    """Raises SinkError if an output cannot be written."""
    from realtime.sinks import check_output

    for path in filter(None, (getattr(args, name) for name in FILES)):
        check_output(path, source=args.video)


def check_recognition(args: argparse.Namespace) -> None:
    """Fill in the default model; every flag of `add_recognition` is checked.

    Raises:
        UsageError: one is out of range, or goes with no other.
    """
    args.model = args.model or DEFAULT_MODEL
    if not 0 <= args.threshold <= 1:
        raise UsageError(f"--threshold must be 0 to 1, got {args.threshold:g}")
    if args.confidence is not None and not 0 <= args.confidence <= 1:
        raise UsageError(f"--confidence must be 0 to 1, got {args.confidence:g}")
    scored = args.name_by in ("detector", "both") or args.only or args.confidence is not None
    if scored and located_by(args) not in NAMED_BY:
        raise UsageError("--name-by detector or both, --confidence and --only go with --locate "
                         f"{' or '.join(NAMED_BY)}, not {located_by(args)}")  # fmt: skip
    if args.threads < 1:
        raise UsageError(f"--threads must be at least 1, got {args.threads}")


def _process(source, args: argparse.Namespace) -> tuple[int, dict]:
    from realtime.interrupt import Interrupt
    from realtime.pipeline import Stopped, run
    from realtime.progress import Progress
    from realtime.stats import Stats, summary

    stats = Stats()
    with Interrupt() as interrupt:
        wants_window = _wants_window(args)
        analysis = make_analysis(args)
        try:
            with ExitStack() as stack:
                sinks = [stack.enter_context(sink) for sink in _open_sinks(source, args)]
                window = stack.enter_context(_open_window(source, args)) if wants_window else None
                progress = stack.enter_context(Progress(source.info))
                stats.start()
                run(
                    source,
                    analysis,
                    sinks,
                    window=window,
                    stats=stats,
                    stopped=interrupt.requested,
                    progress=progress,
                )
        except Stopped:
            pass  # as asked; the files are whole, and the status tells of a signal
        finally:
            report = stats.report()
            print(summary(report), file=sys.stderr)
            if args.stats:
                args.stats.write_text(json.dumps(report, indent=1) + "\n")
    return interrupt.status, report


def _wants_window(args: argparse.Namespace) -> bool:
    """Whether to open a window; a missing display only matters where it is the only output.

    Raises:
        SinkError: there is no display and no other output.
    """
    other = args.snapshots or any(getattr(args, name) for name in FILES)
    if other and not args.show:
        return False
    from realtime.window import has_display

    if has_display():
        return True
    if not other:
        raise SinkError("no display for a window: write a file with -o FILE or rows with --jsonl")
    print("no display: going on without the window", file=sys.stderr)
    return False


def _open_window(source, args: argparse.Namespace):
    from realtime.window import Window

    paced = not source.info.live and not args.out
    return Window(source.info, snapshots=args.snapshots or Path(), paced=paced)


def located_by(args: argparse.Namespace) -> str:
    """The name of the locator that the flags choose; `auto` asks the model.

    Raises:
        WeightsError: no such model.
    """
    if args.locate != "auto":
        return args.locate
    from realtime.locate import suited
    from training.weights import locate

    return suited(locate(args.model)[1])


def make_analysis(args: argparse.Namespace):
    """The stages that the flags choose, as one call a frame: `pipeline.Analysis`."""
    from realtime.annotate import Annotator
    from realtime.associate import ASSOCIATORS
    from realtime.classify import load_classifier
    from realtime.describe import Describer, load_attributes
    from realtime.engines import choose
    from realtime.follow import PACES
    from realtime.locate import LOCATORS, Setup
    from realtime.naming import JointNames, ScoreNames
    from realtime.pipeline import Analysis
    from realtime.track import Tracker

    engine, device = choose(args.engine, args.device)
    only = tuple(args.only.split(",")) if args.only else ()
    locator = located_by(args)
    name_by = args.name_by or NAMED_BY.get(locator, "classifier")
    outline = name_by != "detector"
    setup = Setup(engine, device, args.threads, args.confidence, only, outline=outline)
    locate = LOCATORS[locator](setup)
    if name_by == "detector":
        classify = ScoreNames(locate.info)
    else:
        classify = load_classifier(args.model, engine=engine, device=device, threads=args.threads)
    if name_by == "both":
        classify = JointNames(locate.info, classify)
    if "auto" in (args.engine, args.device, args.locate):
        name = classify.info.name
        print(f"{name}, {locator}, engine {engine}, device {device}", file=sys.stderr)
    pace = args.latency
    if pace == "auto":
        pace = "smooth" if locator in SLOW else "every-frame"
    describe = Describer()
    if args.attributes:
        describe = Describer(
            load_attributes(args.attributes, engine=engine, device=device, threads=args.threads)
        )
    classes = classify.info.classes
    return Analysis(
        locate=locate,
        classify=classify,
        track=Tracker(classes, threshold=args.threshold, associate=ASSOCIATORS[args.track]()),
        annotate=Annotator(classes, colour=args.colour),
        describe=describe,
        pace=PACES[pace](),
        title=f"{classify.info.name}/{locator}",
    )


def _open_sinks(source, args: argparse.Namespace) -> list:
    from realtime.rows import CsvSink, JsonlSink, SubtitleSink
    from realtime.sinks import SnapshotSink, video_or_picture

    texts = (("jsonl", JsonlSink), ("csv", CsvSink), ("srt", SubtitleSink), ("vtt", SubtitleSink))
    sinks = [kind(path) for name, kind in texts if (path := getattr(args, name))]
    if args.out:
        sinks.append(video_or_picture(args.out, source.info, audio=not args.no_audio))
    if args.snapshots:
        sinks.append(SnapshotSink(args.snapshots))
    return sinks
