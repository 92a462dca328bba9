"""Several sources in one command: each into its own files, one table at the end.

Files are processed one after the other, streams and cameras at the same time, since none of them
waits for another's end. All have the networks in common, and crops of sources that run at the same
time are batched.
"""

import glob
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preprocessing.errors import GarmentError, SinkError, UsageError
from realtime.runtime.interrupt import Interrupt
from realtime.settings import Address, Settings
from realtime.sinks.sink_table import SINKS, STATS, OutputSettings

if TYPE_CHECKING:
    from realtime.assemble import AnalysisFactory

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".ts", ".gif")
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


def expand(addresses: Sequence[Address]) -> list[Address]:
    """Replace patterns and folders of videos by their files.

    Raises:
        UsageError: a pattern matches no file.
    """
    found: list[Address] = []
    for address in addresses:
        found += [address] if isinstance(address, int) else _files(address)
    return found


def _files(address: str) -> Sequence[str]:
    if "://" in address or os.path.isfile(address):
        return [address]
    if os.path.isdir(address):
        return _videos_in(Path(address)) or [address]
    if not glob.has_magic(address):
        return [address]
    matches = sorted(glob.glob(address, recursive=True))
    if not matches:
        raise UsageError(f"no file matches {address}")
    return matches


def _videos_in(folder: Path) -> list[str]:
    return sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One source with the outputs of its own."""

    address: Address
    settings: Settings

    @property
    def live(self) -> bool:
        """True for cameras and streams."""
        return isinstance(self.address, int) or "://" in self.address


Run = Callable[[Address, Settings, "AnalysisFactory", Interrupt | None], Outcome]


def run_several(addresses: Sequence[Address], settings: Settings, run: Run) -> int:
    """Run every source with its own outputs; a failure stops none of the others.

    The exit status is 0, that of the signal that ended the command, or that of the first failure.

    Raises:
        UsageError, SinkError: no output, a window, or a folder that cannot be made.
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    from realtime.assemble import AnalysisFactory

    _make_folders(settings)
    jobs = [
        Job(address=address, settings=replace(settings, outputs=outputs_in(settings.outputs, name)))
        for address, name in zip(addresses, file_names(addresses), strict=True)
    ]
    live = [job for job in jobs if job.live]
    factory = AnalysisFactory(settings.recognition, concurrent=len(live) > 1)
    print(factory.description, file=sys.stderr)
    outcomes = _run_concurrently(live, factory, run)
    for job in jobs:
        if any(outcome.by_signal for outcome in outcomes):
            break
        if not job.live:
            outcomes.append(_outcome(job, factory, None, run))
    print(table(outcomes), file=sys.stderr)
    signals = [outcome.status for outcome in outcomes if outcome.by_signal]
    return next(filter(None, (*signals, *(outcome.status for outcome in outcomes))), 0)


def _run_concurrently(jobs: Sequence[Job], factory: "AnalysisFactory", run: Run) -> list[Outcome]:
    """Run all jobs at the same time; a signal asks each of them to finish."""
    if not jobs:
        return []
    with Interrupt() as interrupt, ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(_outcome, job, factory, interrupt, run) for job in jobs]
        while wait(running, POLL_SECONDS).not_done:
            pass  # signals are handled on this thread
    return [future.result() for future in running]


def _outcome(
    job: Job, factory: "AnalysisFactory", interrupt: Interrupt | None, run: Run
) -> Outcome:
    try:
        return run(job.address, job.settings, factory, interrupt)
    except GarmentError as error:
        logger.error("%s: %s", job.address, error, exc_info=True)
        print(f"error: {job.address}: {error}", file=sys.stderr)
        return Outcome(source=job.address, status=error.status, error=str(error))


def _make_folders(settings: Settings) -> None:
    folders = settings.outputs.paths.values()
    if not folders or settings.show or settings.serve:
        raise UsageError("several sources have no window and no page: give -o FOLDER or "
                         "--jsonl FOLDER")  # fmt: skip
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"the outputs of several sources are folders, and {folder} is not one "
                            f"({error.strerror}): give another -o FOLDER") from error  # fmt: skip


def file_names(addresses: Sequence[Address]) -> list[str]:
    """A file name without suffix for each source: its own, numbered if two are the same."""
    seen: Counter[str] = Counter()
    names = []
    for address in addresses:
        name = f"camera-{address}" if isinstance(address, int) else Path(address.rstrip("/")).stem
        name = name or "video"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def outputs_in(folders: OutputSettings, name: str) -> OutputSettings:
    """The outputs of one source, in the folders that the outputs of several name."""
    suffixes = {output: row.suffix for output, row in SINKS.items()} | {STATS: ".json"}
    paths = {
        output: folder / f"{name}{suffixes[output]}" for output, folder in folders.paths.items()
    }
    return replace(folders, paths=paths)


def table(outcomes: Sequence[Outcome]) -> str:
    """A line a source: frames written, frames a second, and how it ended."""
    width = max(len(str(outcome.source)) for outcome in outcomes)
    lines = [f"{'source':{width}s}  frames     fps  ended"]
    for outcome in outcomes:
        written, fps = "-", "-"
        if outcome.report:
            written, fps = outcome.report["frames"]["written"], outcome.report["fps"]
            fps = "-" if fps is None else f"{fps:.1f}"
        ended = outcome.error or ("signal" if outcome.by_signal else "done")
        lines.append(f"{outcome.source!s:{width}s}  {written:>6}  {fps:>6}  {ended}")
    return "\n".join(lines)
