"""Several sources: each into its own files, one table in the end.

Files come one after the other, addresses side by side: a camera does not wait for another's end.
All share what the flags load, and crops of sources that run side by side share their batches.
"""

import argparse
import glob
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.errors import GarmentError, SinkError, UsageError
from realtime.runtime.interrupt import Interrupt
from realtime.runtime.worker import POLL_SECONDS

if TYPE_CHECKING:
    from realtime.assemble import Kit

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".ts", ".gif")
SIGNALLED = 128  # exit statuses from here on tell of a signal
# Flags that name a folder here, and the suffix of the files in it; "" for a folder each.
FOLDERS = {
    "out": ".mp4",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "parquet": ".parquet",
    "srt": ".srt",
    "vtt": ".vtt",
    "report": ".html",
    "stats": ".json",
    "snapshots": "",
    "crops": "",
}


@dataclass(frozen=True)
class Outcome:
    """How one source ended: the exit status that it alone would have had, and why."""

    source: str
    status: int
    error: str = ""
    report: dict | None = None


def sources_of(videos: Sequence[str]) -> list[str]:
    """The sources that --video names: patterns and folders of videos give their files.

    Raises:
        UsageError: a pattern matches nothing.
    """
    found = []
    for video in videos:
        if glob.has_magic(video) and not os.path.exists(video) and "://" not in video:
            matches = sorted(glob.glob(video, recursive=True))
            if not matches:
                raise UsageError(f"--video {video}: no file matches")
            found += matches
        else:
            inside = _videos_in(Path(video))
            found += inside or [video]
    return found


def _videos_in(folder: Path) -> list[str]:
    if not os.path.isdir(folder):  # which takes names that are too long for Path's
        return []
    return sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)


def run_many(
    sources: Sequence[str],
    args: argparse.Namespace,
    run_one: Callable[[argparse.Namespace, "Kit", Interrupt | None], tuple[int, dict]],
) -> int:
    """Run every source with its own outputs; one that fails never stops the others.

    The exit status is 0, that of the first failure, or that of the signal which ended the list.

    Raises:
        UsageError, SinkError: no output, a window, or a folder that cannot be made.
    """
    from realtime.assemble import Kit

    _check(args)
    jobs = [
        _args_for(args, source, stem) for source, stem in zip(sources, stems(sources), strict=True)
    ]
    live = [own for own in jobs if "://" in own.video]
    kit = Kit(args, shared=len(live) > 1)
    outcomes = _side_by_side(live, lambda own, interrupt: run_one(own, kit, interrupt))
    for own in jobs:
        if any(outcome.status > SIGNALLED for outcome in outcomes):
            break
        if own not in live:
            outcomes.append(_outcome(own, lambda own: run_one(own, kit, None)))
    print(table(outcomes), file=sys.stderr)
    ended = [o.status for o in outcomes if o.status > SIGNALLED]
    return next((status for status in (*ended, *(o.status for o in outcomes)) if status), 0)


def _side_by_side(
    jobs: Sequence[argparse.Namespace],
    run_one: Callable[[argparse.Namespace, Interrupt], tuple[int, dict]],
) -> list[Outcome]:
    """How sources end that all run at once; a signal asks all of them to finish."""
    if not jobs:
        return []
    with Interrupt() as interrupt, ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(_outcome, own, lambda own: run_one(own, interrupt)) for own in jobs]
        while wait(running, POLL_SECONDS).not_done:
            pass  # signals are handled on this thread
    return [future.result() for future in running]


def _check(args: argparse.Namespace) -> None:
    folders = [getattr(args, name) for name in FOLDERS if getattr(args, name)]
    if not folders or args.show or args.serve:
        raise UsageError("several videos have no window and no page: give -o FOLDER or "
                         "--jsonl FOLDER")  # fmt: skip
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"several videos go into a folder, and {folder} is none "
                            f"({error.strerror}): give another -o FOLDER") from error  # fmt: skip


def stems(sources: Sequence[str]) -> list[str]:
    """A file name for each source, without suffix: its own, numbered where two are alike."""
    seen: Counter[str] = Counter()
    stems = []
    for source in sources:
        stem = Path(source.rstrip("/")).stem or "video"
        seen[stem] += 1
        stems.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return stems


def _args_for(args: argparse.Namespace, source: str, stem: str) -> argparse.Namespace:
    own = copy(args)
    own.video = source
    for name, suffix in FOLDERS.items():
        folder = getattr(args, name)
        setattr(own, name, folder / f"{stem}{suffix}" if folder else None)
    return own


def _outcome(
    own: argparse.Namespace, run_one: Callable[[argparse.Namespace], tuple[int, dict]]
) -> Outcome:
    try:
        status, report = run_one(own)
    except GarmentError as error:
        print(f"error: {own.video}: {error}", file=sys.stderr)
        return Outcome(own.video, error.status, str(error))
    return Outcome(own.video, status, report=report)


def table(outcomes: Sequence[Outcome]) -> str:
    """A line a source: frames written, frames a second, and how it ended."""
    width = max(len(outcome.source) for outcome in outcomes)
    lines = [f"{'source':{width}s}  frames     fps  ended"]
    for outcome in outcomes:
        written, fps = "-", "-"
        if outcome.report:
            written, fps = outcome.report["frames"]["written"], outcome.report["fps"]
            fps = "-" if fps is None else f"{fps:.1f}"
        ended = outcome.error or ("signal" if outcome.status > SIGNALLED else "done")
        lines.append(f"{outcome.source:{width}s}  {written:>6}  {fps:>6}  {ended}")
    return "\n".join(lines)
