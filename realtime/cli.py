"""Command line of the live app: flags -> settings -> source, analysis and sinks -> exit status.

The heavy modules are imported after the flags are read, so that --help answers at once.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.errors import ClosedPipeError, SinkError, SourceError, UsageError, exit_status
from realtime.flags import read_settings
from realtime.runtime.logs import logging_to
from realtime.runtime.service import Watched, service
from realtime.runtime.standard_output import STDOUT, open_output, reserved
from realtime.runtime.standard_streams import prepare
from realtime.settings import DEFAULT_ADDRESS, Address, Recognition, Settings
from realtime.sinks.sink_table import STATS, check_outputs, make_sinks, refuse_inputs

if TYPE_CHECKING:
    from realtime.analysis.frame_analysis import FrameAnalysis
    from realtime.batch.several import Outcome
    from realtime.library.pipeline import Analyser
    from realtime.library.recogniser import Recogniser
    from realtime.page.guard import Role
    from realtime.runtime.interrupt import Interrupt
    from realtime.runtime.stats import Stats
    from realtime.sinks.window import Window
    from realtime.sources.source import Source

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the app; the exit status is documented in --help."""
    prepare()
    return exit_status(lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    settings = read_settings(argv)
    if settings.log and settings.command == "run":
        from realtime.batch.inputs import expand

        _refuse_inputs(settings, expand(settings.source.addresses))  # before the log is opened
    with logging_to(settings.log):
        if settings.source.insecure:
            from realtime.runtime.certificates import INSECURE

            logger.warning(INSECURE)
        try:
            return COMMANDS[settings.command](settings)
        finally:
            service().stopping("ended")


def _list_models(settings: Settings) -> int:
    from training.inference.model_table import table

    print(table())
    return 0


def _doctor(settings: Settings) -> int:
    from realtime import doctor

    return doctor.main()


def _version(settings: Settings) -> int:
    from realtime.doctor import versions

    print(versions())
    return 0


def _run(settings: Settings) -> int:
    from realtime.batch.inputs import expand, log_left_out
    from realtime.library.assemble import check_recognition

    addresses = expand(settings.source.addresses)
    log_left_out(settings.source.addresses)
    _refuse_inputs(settings, addresses)
    check_recognition(settings.recognition)
    if settings.find and settings.serve:
        raise UsageError("--find marks garments in outputs and the window, not on the page")
    paths = settings.outputs.paths
    if STDOUT not in paths.values():
        return _run_sources(addresses, settings)
    with reserved(binary=paths.get("out") == STDOUT):
        return _run_sources(addresses, settings)


def _run_sources(addresses: Sequence[Address], settings: Settings) -> int:
    from realtime.batch.inputs import still_picture
    from realtime.batch.several import run_several

    shown = settings.outputs or settings.show or settings.serve
    if addresses and not shown and all(map(still_picture, addresses)):
        settings = replace(settings, outputs=replace(settings.outputs, terminal=True))
    if _each_by_its_name(settings, addresses):
        return run_several(addresses, settings, run_one)
    return run_one(addresses[0] if addresses else None, settings).status


def _each_by_its_name(settings: Settings, addresses: Sequence[Address]) -> bool:
    """True if outputs are folders, with files by the names of the sources.

    So also for a pattern or folder that happens to hold one file.
    """
    given, outputs = settings.source.addresses, settings.outputs
    expanded = list(addresses) != list(given)
    files = outputs.terminal or any(path != STDOUT for path in outputs.paths.values())
    return len(addresses) > 1 or (expanded and files)


def _refuse_inputs(settings: Settings, addresses: Sequence[Address]) -> None:
    """Refuse outputs and a log that would replace an input, or each other."""
    from realtime.batch.inputs import inputs_of
    from realtime.batch.several import jobs_of

    inputs = inputs_of((*settings.source.addresses, *addresses), settings.recognition)
    if not _each_by_its_name(settings, addresses):
        return refuse_inputs(settings.outputs, inputs, log=settings.log)
    for job in jobs_of(addresses, settings):
        refuse_inputs(job.settings.outputs, inputs, log=settings.log)


COMMANDS: dict[str, Callable[[Settings], int]] = {
    "run": _run,
    "list-models": _list_models,
    "doctor": _doctor,
    "version": _version,
}


def run_one(
    address: Address | None,
    settings: Settings,
    recogniser: "Recogniser | None" = None,
    interrupt: "Interrupt | None" = None,
) -> "Outcome":
    """Run one source to its end.

    Args:
        address: None for camera 0.
        recogniser: of sources that have their networks in common; None to load them.
        interrupt: of sources that run at the same time; None to handle signals here.

    Raises:
        GarmentError: see errors.py.
    """
    check_outputs(settings.outputs)
    if settings.serve is None and _needs_page(settings):
        settings = replace(settings, serve=DEFAULT_ADDRESS)
    if settings.serve is not None:
        return _serve(address, settings)
    with _open(address, settings, interrupt) as source:
        return _process(source, settings, recogniser, interrupt)


def _open(
    address: Address | None, settings: Settings, interrupt: "Interrupt | None" = None
) -> "Source":
    from realtime.library.opening import opened

    stopped = interrupt.requested if interrupt else lambda: False
    return opened(0 if address is None else address, settings.source, stopped)


def _needs_page(settings: Settings) -> bool:
    """True if only a window could show anything, and there is no display for one."""
    if settings.show or settings.outputs:
        return False
    from realtime.sinks.window import has_display

    if has_display():
        return False
    logger.warning("no display for a window: serving a page instead")
    return True


def _serve(address: Address | None, settings: Settings) -> "Outcome":
    """Serve the page; that there is no camera matters only if the flags name one."""
    from realtime.batch.several import Outcome
    from realtime.page.launch import serve

    try:
        source = _open(address, settings)
    except SourceError as error:
        if address is not None:
            raise
        logger.warning("%s; choose another source on the page", error)
        source = None
    status = serve(
        settings,
        source,
        address=address,
        ready=_print_urls,
    )
    return Outcome(source="", status=status)


def _print_urls(urls: Mapping["Role", str]) -> None:
    for role, url in urls.items():
        name = "page" if role == max(urls) else "viewers"
        print(f"{name}: {url}", file=sys.stderr, flush=True)


def _process(
    source: "Source",
    settings: Settings,
    recogniser: "Recogniser | None",
    interrupt: "Interrupt | None",
) -> "Outcome":
    from realtime.batch.several import Outcome
    from realtime.library.pipeline import Stopped, ended_whole
    from realtime.library.watching import new_watch
    from realtime.runtime.interrupt import Interrupt
    from realtime.runtime.progress import Progress
    from realtime.runtime.stats import Stats
    from realtime.sinks.replacing import replacing

    logger.info("outputs: %s", ", ".join(map(str, settings.outputs.paths.values())) or "none")
    stats, quiet, closed = Stats(), interrupt is not None, 0
    whole = partial(ended_whole, info=source.info, stats=stats)
    with nullcontext(interrupt) if interrupt else Interrupt() as signals:
        wants_window = _wants_window(settings)
        recogniser = recogniser or _load(settings.recognition)
        analysis = _marking(recogniser.factory.new_analysis(), settings.find)
        try:
            with ExitStack() as stack:
                outputs = stack.enter_context(replacing(settings.outputs, whole=whole))
                stack.callback(_report, stats, outputs.paths.get(STATS))
                window = stack.enter_context(_window(source, settings)) if wants_window else None
                progress = stack.enter_context(Progress(source.info, stats, quiet=quiet))
                watched = Watched(source.info.name, stats, stopped=signals.requested,
                                  progress=progress)  # fmt: skip
                recogniser.run_opened(
                    source,
                    make_sinks(outputs),
                    analysis=analysis,
                    watch=new_watch(settings.zones, outputs),
                    show=window.show if window else None,
                    stats=stats,
                    stopped=watched.stopped,
                    progress=watched.progress,
                )
        except Stopped:
            pass  # as asked; the files are complete, and the status names the signal
        except ClosedPipeError as error:
            logger.info("%s", error)
            closed = error.status
    report = stats.report()
    return Outcome(source=source.info.name, status=signals.status or closed, report=report)


def _marking(analysis: "FrameAnalysis", words: str) -> "Analyser":
    """The analysis, with garments marked that fit the words of --find."""
    if not words:
        return analysis
    from realtime.search.marking import FindingAnalysis
    from realtime.search.query import read_query

    query = read_query(words, taught=analysis.tracks.classes)
    if query.unknown:
        logger.warning("--find: not understood: %s", ", ".join(query.unknown))
    return FindingAnalysis(analysis, query, words)


def _load(recognition: Recognition) -> "Recogniser":
    from realtime.library.recogniser import Recogniser

    recogniser = Recogniser(recognition, concurrent=False)
    print(recogniser.description, file=sys.stderr)
    return recogniser


def _wants_window(settings: Settings) -> bool:
    """True if a window is to be opened; a missing display is an error if it is the only output.

    Raises:
        SinkError: there is no display and no other output.
    """
    if settings.outputs and not settings.show:
        return False
    from realtime.sinks.window import has_display

    if has_display():
        return True
    if not settings.outputs:
        raise SinkError("no display for --show: use --serve, or write a file with -o FILE")
    logger.warning("no display: running without the window")
    return False


def _window(source: "Source", settings: Settings) -> AbstractContextManager["Window"]:
    from realtime.sinks.window import Window

    paths = settings.outputs.paths
    return Window(
        source.info,
        snapshots=paths.get("snapshots", Path()),
        paced=not source.info.live and "out" not in paths,
        needed=not paths,
    )


def _report(stats: "Stats", path: Path | None) -> None:
    """Print the figures of a run, and write those of --stats."""
    from realtime.runtime.stats import summary

    report = stats.report()
    print(summary(report), file=sys.stderr)
    if path is None:
        return
    try:
        with open_output(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(report, indent=1) + "\n")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
