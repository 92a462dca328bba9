"""Command line of the live app: flags -> objects -> run -> exit status.

The heavy modules are imported after the flags are read, so that --help answers at once.
"""

import argparse
import json
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.command import exit_status
from preprocessing.errors import SinkError, UsageError
from realtime.flags import (
    DEFAULT_ADDRESS,
    DEMO,
    DEMO_MODEL,
    FILES,
    OUTPUT_FOLDERS,
    STREAMS,
    parser,
)

if TYPE_CHECKING:
    from realtime.assemble import Kit
    from realtime.runtime.interrupt import Interrupt


def main(argv: list[str] | None = None) -> int:
    """Run the app; the exit status is documented in --help."""
    args = parser().parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.list_models:
        from training.inference.model_table import table

        print(table())
        return 0
    if args.doctor:
        from realtime import doctor

        return doctor.main()
    from realtime.batch.several import run_many, sources_of

    sources = sources_of(args.video or [])
    _check(args)
    if len(sources) > 1:
        return run_many(sources, args, _run_one)
    args.video = sources[0] if sources else args.video
    return _run_one(args)[0]


def _run_one(
    args: argparse.Namespace, kit: "Kit | None" = None, interrupt: "Interrupt | None" = None
) -> tuple[int, dict]:
    """Run one source; its exit status and report.

    Args:
        kit: what the sources of a list share; None to load it.
        interrupt: of sources that run side by side; None to listen to signals here.
    """
    _check_outputs(args)
    if args.serve is not None or _lacks_display(args):
        return _serve(args), {}
    with _open_source(args) as source:
        return _process(source, args, kit, interrupt)


def _open_source(args: argparse.Namespace):
    from realtime.sources.open_source import open_source

    return open_source(args.video, args.camera, reconnect=args.reconnect, hwaccel=args.hwaccel)


def _lacks_display(args: argparse.Namespace) -> bool:
    """Whether only a window could show anything, and there can be none: the page then does."""
    if args.show or _writes(args):
        return False
    from realtime.sinks.window import has_display

    if has_display():
        return False
    print("no display for a window: serving a page instead", file=sys.stderr)
    args.serve = DEFAULT_ADDRESS
    return True


def _serve(args: argparse.Namespace) -> int:
    """Serve the page; the camera is only missed where it was asked for."""
    from preprocessing.errors import SourceError
    from realtime.assemble import checked_analysis, open_sinks
    from realtime.page.serve import serve

    try:
        first = _open_source(args)
    except SourceError as error:
        if args.video is not None or args.camera is not None:
            raise
        print(f"{error}; choose another source on the page", file=sys.stderr)
        first = None
    return serve(
        args,
        first,
        open_sinks=lambda source: open_sinks(source, args),
        make_analysis=checked_analysis,
    )


def _check(args: argparse.Namespace) -> None:
    """Everything about the flags that can be found wrong before anything is opened.

    Raises:
        UsageError: a number is out of range.
    """
    if args.demo:
        args.video, args.model = str(DEMO), args.model or DEMO_MODEL
    from realtime.assemble import check_recognition

    check_recognition(args)
    if args.camera is not None and args.camera < 0:
        raise UsageError(f"--camera must be 0 or more, got {args.camera}")
    if args.reconnect < 0:
        raise UsageError(f"--reconnect must be 0 or more seconds, got {args.reconnect:g}")


def _check_outputs(args: argparse.Namespace) -> None:
    """Raises SinkError if an output cannot be written."""
    from realtime.sinks.sink import check_output

    for name in FILES:
        if path := getattr(args, name):
            check_output(path, source=args.video, plain=name not in STREAMS)


def _process(
    source, args: argparse.Namespace, kit: "Kit | None", interrupt: "Interrupt | None"
) -> tuple[int, dict]:
    from realtime.assemble import Kit, open_sinks
    from realtime.pipeline import Stopped, run
    from realtime.runtime.interrupt import Interrupt
    from realtime.runtime.progress import Progress
    from realtime.runtime.stats import Stats, summary

    stats, quiet = Stats(), interrupt is not None
    with nullcontext(interrupt) if interrupt else Interrupt() as interrupt:
        wants_window = _wants_window(args)
        analysis = (kit or Kit(args)).analysis()
        try:
            with ExitStack() as stack:
                sinks = [stack.enter_context(sink) for sink in open_sinks(source, args)]
                window = stack.enter_context(_open_window(source, args)) if wants_window else None
                progress = stack.enter_context(Progress(source.info, quiet=quiet))
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
                _write_stats(args.stats, report)
    return interrupt.status, report


def _write_stats(path: Path, report: dict) -> None:
    try:
        path.write_text(json.dumps(report, indent=1) + "\n")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def _wants_window(args: argparse.Namespace) -> bool:
    """Whether to open a window; a missing display only matters where it is the only output.

    Raises:
        SinkError: there is no display and no other output.
    """
    other = _writes(args)
    if other and not args.show:
        return False
    from realtime.sinks.window import has_display

    if has_display():
        return True
    if not other:
        raise SinkError("no display for --show: use --serve, or write a file with -o FILE")
    print("no display: going on without the window", file=sys.stderr)
    return False


def _writes(args: argparse.Namespace) -> bool:
    """Whether the flags name any output."""
    return any(getattr(args, name) for name in (*FILES, *OUTPUT_FOLDERS))


def _open_window(source, args: argparse.Namespace):
    from realtime.sinks.window import Window

    paced = not source.info.live and not args.out
    return Window(source.info, snapshots=args.snapshots or Path(), paced=paced,
                  needed=not _writes(args))  # fmt: skip
