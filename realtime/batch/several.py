"""Several sources in one command: each into its own files, one table at the end.

Files are processed one after the other, streams and cameras at the same time, since none of them
waits for another's end. All have the networks in common, and crops of sources that run at the same
time are batched.
"""

import itertools
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preprocessing.errors import GarmentError, SinkError, SourceError, UsageError, printable
from preprocessing.files import letters, place
from realtime.batch.inputs import still_picture
from realtime.runtime.interrupt import Interrupt
from realtime.runtime.masking import masked, without_login
from realtime.runtime.standard_output import STDOUT
from realtime.settings import Address, Settings
from realtime.sinks.sink_table import SINKS, STATS, OutputSettings
from realtime.sources.addresses import STDIN, is_live

if TYPE_CHECKING:
    from realtime.library.recogniser import Recogniser

NOT_IN_NAMES = re.compile(r'[<>:"\\|?*\x00-\x1f]')  # of files on Windows
POLL_SECONDS = 0.1  # so that signals are handled while the main thread waits
FIRST_SIGNAL = 128  # exit statuses above it name a signal
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run of one source ended.

    Attributes:
        status: exit status of a command that runs this source alone.
        error: reason of a failure; empty for none.
        report: figures of the run; None if it never started.
    """

    source: Address
    status: int
    error: str = ""
    report: dict[str, Any] | None = None

    @property
    def by_signal(self) -> bool:
        """True if a signal ended the run."""
        return self.status > FIRST_SIGNAL


@dataclass(frozen=True, kw_only=True)
class Job:
    """One source with the outputs of its own."""

    address: Address
    settings: Settings

    @property
    def live(self) -> bool:
        """True for cameras and streams."""
        return is_live(self.address)


Run = Callable[[Address, Settings, "Recogniser", Interrupt | None], Outcome]


def run_several(addresses: Sequence[Address], settings: Settings, run: Run) -> int:
    """Run every source with its own outputs; a failure stops none of the others.

    The exit status is 0, that of the signal that ended the command, or that of the first failure.

    Raises:
        UsageError, SinkError: no output, a window, or a folder that cannot be made.
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    from realtime.library.recogniser import Recogniser

    _check_flags(settings)
    jobs = jobs_of(addresses, settings)
    _make_folders(settings)
    live = [job for job in jobs if job.live]
    recogniser = Recogniser(settings.recognition, concurrent=len(live) > 1)
    print(recogniser.description, file=sys.stderr)
    outcomes = _run_concurrently(live, recogniser, run)
    for job in jobs:
        if any(outcome.by_signal for outcome in outcomes):
            break
        if not job.live:
            outcomes.append(_outcome(job, recogniser, None, run))
    print(table(outcomes), file=sys.stderr)
    signals = [outcome.status for outcome in outcomes if outcome.by_signal]
    return next(filter(None, (*signals, *(outcome.status for outcome in outcomes))), 0)


def _run_concurrently(jobs: Sequence[Job], recogniser: "Recogniser", run: Run) -> list[Outcome]:
    """Run all jobs at the same time; a signal asks each of them to finish."""
    if not jobs:
        return []
    with Interrupt() as interrupt, ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(_outcome, job, recogniser, interrupt, run) for job in jobs]
        while wait(running, POLL_SECONDS).not_done:
            pass  # signals are handled on this thread
    return [future.result() for future in running]


def _outcome(job: Job, recogniser: "Recogniser", interrupt: Interrupt | None, run: Run) -> Outcome:
    try:
        return run(job.address, job.settings, recogniser, interrupt)
    except GarmentError as error:
        logger.error("%s: %s", job.address, error, exc_info=True)
        name = masked(str(job.address))
        print(printable(f"error: {name}: {error}"), file=sys.stderr)
        # A source that a signal kept from being opened has not failed.
        signal = interrupt.status if interrupt and isinstance(error, SourceError) else 0
        status = signal or error.status
        return Outcome(source=name, status=status, error=str(error))


def jobs_of(addresses: Sequence[Address], settings: Settings) -> list[Job]:
    """Return each source with outputs of its own, none of which is another one's."""
    suffixes = [_suffix_of_out(address) for address in addresses]

    def outputs(number: int, name: str) -> OutputSettings:
        return outputs_in(settings.outputs, name, suffix=suffixes[number])

    def places(number: int, name: str) -> Iterable[str]:
        paths = outputs(number, name).paths
        return (place(path) for output, path in paths.items() if not _is_shared(output))

    names = _distinct([_own_name(address) for address in addresses], places)
    return [
        Job(address=address, settings=replace(settings, outputs=outputs(number, name)))
        for number, (address, name) in enumerate(zip(addresses, names, strict=True))
    ]


def _suffix_of_out(address: Address) -> str:
    """The suffix of the labelled video, or, for a still picture, of the labelled picture."""
    if not still_picture(address):
        return SINKS["out"].suffix
    from realtime.sinks.pictures import PICTURE_SUFFIXES

    suffix = Path(str(address)).suffix
    return suffix if suffix.lower() in PICTURE_SUFFIXES else ".png"


def _check_flags(settings: Settings) -> None:
    if not settings.outputs or settings.show or settings.serve:
        raise UsageError("several sources have no window and no page: give -o FOLDER or "
                         "--jsonl FOLDER")  # fmt: skip
    if settings.outputs.stream or STDOUT in settings.outputs.paths.values():
        raise UsageError("several sources cannot go to one server or to stdout: give one source, "
                         "or -o FOLDER")  # fmt: skip


def _make_folders(settings: Settings) -> None:
    for folder in settings.outputs.paths.values():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"the outputs of several sources are folders, and {folder} is not one "
                            f"({error.strerror}): give another -o FOLDER") from error  # fmt: skip


def file_names(addresses: Sequence[Address]) -> list[str]:
    """A file name without suffix for each source: its own, numbered if two are the same.

    Names that differ in letter case alone are the same.
    """
    return _distinct([_own_name(one) for one in addresses], lambda _, name: [letters(name)])


def _own_name(address: Address) -> str:
    if isinstance(address, int):
        return f"camera-{address}"
    if address == STDIN:
        return "stdin"
    name = Path(without_login(address).rstrip("/")).stem or "video"
    return NOT_IN_NAMES.sub("_", name) if os.name == "nt" else name


def _distinct(names: Sequence[str], places: Callable[[int, str], Iterable[str]]) -> list[str]:
    """The names, with "-2", "-3", ... where their places are taken.

    A name that is nobody else's stays as it is, whatever numbers the others get.

    Args:
        places: of the source of that number under a name.
    """
    first = {place: number for number in reversed(range(len(names)))
             for place in places(number, names[number])}  # fmt: skip
    taken: set[str] = set(first)
    found = []
    for number, name in enumerate(names):
        chosen = name
        if any(first[place] != number for place in places(number, name)):
            chosen = next(
                more for more in (f"{name}-{count}" for count in itertools.count(2))
                if taken.isdisjoint(places(number, more))
            )  # fmt: skip
            taken.update(places(number, chosen))
        found.append(chosen)
    return found


def outputs_in(folders: OutputSettings, name: str, *, suffix: str) -> OutputSettings:
    """The outputs of one source, in the folders that the outputs of several name.

    Args:
        name: without a suffix.
        suffix: of the labelled video or picture.
    """
    suffixes = {output: row.suffix for output, row in SINKS.items()}
    suffixes |= {STATS: ".json", "out": suffix}
    paths = {
        output: folder if _is_shared(output) else folder / f"{name}{suffixes[output]}"
        for output, folder in folders.paths.items()
    }
    return replace(folders, paths=paths)


def _is_shared(output: str) -> bool:
    return output in SINKS and SINKS[output].shared


def table(outcomes: Sequence[Outcome]) -> str:
    """A line a source: frames written, frames a second, and how it ended."""
    names = [printable(str(outcome.source)) for outcome in outcomes]
    width = max(map(len, names))
    lines = [f"{'source':{width}s}  frames     fps  ended"]
    for name, outcome in zip(names, outcomes, strict=True):
        written, fps = "-", "-"
        if outcome.report:
            written, fps = outcome.report["frames"]["written"], outcome.report["fps"]
            fps = "-" if fps is None else f"{fps:.1f}"
        ended = printable(outcome.error) or ("signal" if outcome.by_signal else "done")
        lines.append(f"{name:{width}s}  {written:>6}  {fps:>6}  {ended}")
    return "\n".join(lines)
