"""The work on one unit of an archive, and the workers of Ray that do it."""

import logging
import platform
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from preprocessing.errors import (
    BrokenSourceError,
    DeviceError,
    GarmentError,
    SinkError,
    SourceError,
    UsageError,
)
from realtime.batch.places import not_written, put, remove, sink_errors, unfinished
from realtime.batch.provenance import source_of, write_record
from realtime.batch.stores import Store, local
from realtime.batch.units import ROWS, SEGMENT, Counts, Unit
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.worker import cores
from realtime.settings import Recognition
from realtime.sinks.sink_table import OutputSettings, make_sinks
from realtime.sources.segments import Segment, SegmentSource

RETRIES = 3  # of a unit whose worker died


@dataclass(frozen=True, kw_only=True)
class Task:
    """The settings that are the same for every unit.

    Attributes:
        store: that gets the units; None where all machines see their folders.
        home: name of the machine that joins the units.
    """

    recognition: Recognition
    rows_only: bool
    store: Store | None = None
    home: str = ""


@dataclass(frozen=True)
class Ending:
    """How the work on a unit ended: an exit status, and the reason of a failure."""

    status: int = 0
    error: str = ""


Endings = Generator[tuple[Unit, Ending], None, None]
Process = Callable[[Sequence[Unit], Task], Endings]


def work(unit: Unit, task: Task) -> Ending:
    """Run the pipeline over a unit, and put its whole folder in place."""
    new = unfinished(unit.folder)
    try:
        with sink_errors(unit.folder):
            new.mkdir(parents=True)
        with local(unit.segment.path) as path:
            counts = label(replace(unit.segment, path=path), task, new)
        if source_of(unit.segment.path) != unit.origin.source:
            raise BrokenSourceError(f"{unit.segment.path} was changed while it was read: start "
                                    "again once it is whole")  # fmt: skip
        with sink_errors(unit.folder):
            counts.write(new)
            write_record(new, unit.origin)
            put(new, unit.folder)
        if task.store:
            task.store.put(unit.folder)
            if platform.node() != task.home:  # whose driver joins the units
                remove(unit.folder)
    except SinkError as error:  # of a file that is removed again, which it names
        return Ending(error.status, not_written(unit.folder, error.__cause__ or error))
    except GarmentError as error:
        return Ending(error.status, str(error))
    finally:
        remove(new)
    return Ending()


def label(segment: Segment, task: Task, folder: Path) -> Counts:
    """Write the rows and the labelled video of a segment, as far as the file can be decoded.

    Raises:
        SinkError: they cannot be written.
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    from realtime.library.pipeline import run
    from realtime.runtime.stats import Stats

    paths = {"parquet": folder / ROWS} | ({} if task.rows_only else {"out": folder / SEGMENT})
    stats, truncated, analysis = Stats(), False, networks(task.recognition).new_analysis()
    try:
        source = SegmentSource(segment)
    except SourceError:  # that it is a video is known: nothing from there on can be decoded
        return Counts(written=0, failed=segment.last - segment.first)
    with source:
        try:
            run(source, analysis, make_sinks(OutputSettings(paths=paths, audio=False)),
                stats=stats, stopped=lambda: False, progress=lambda _: None,
                speed=False)  # fmt: skip
        except BrokenSourceError:
            truncated = True
    if not stats.written:
        for path in paths.values():
            remove(path)
    return Counts(written=stats.written, failed=stats.failed, truncated=truncated,
                  start=source.began)  # fmt: skip


@lru_cache(maxsize=1)
def networks(recognition: Recognition) -> AnalysisFactory:
    """The networks, loaded once in each worker."""
    return AnalysisFactory(recognition)


def in_turn(units: Sequence[Unit], task: Task) -> Endings:
    """Process units one after the other in this process."""
    for unit in units:
        yield unit, work(unit, task)


@dataclass(frozen=True)
class RayWorkers:
    """Processes units by Ray's workers, on this machine or on a running cluster.

    A worker that dies is replaced and its unit tried again; a unit that kills every worker has
    failed.

    Attributes:
        cluster: its address; None for this machine.
        workers: processes on this machine; None for one a core.
    """

    cluster: str | None = None
    workers: int | None = None

    def count(self) -> int:
        """The units that are processed at the same time.

        Raises:
            UsageError, DeviceError: as a call.
        """
        if not self.cluster:
            return self.workers or cores()
        with _ray(self) as ray, _ray_errors():
            return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def __call__(self, units: Sequence[Unit], task: Task) -> Endings:
        """Yield each unit with its ending, in the order in which they end.

        Raises:
            UsageError: ray is not installed.
            DeviceError: it does not start, or the cluster is gone.
        """
        with _ray(self) as ray:
            with _ray_errors():
                remote = ray.remote(max_retries=RETRIES, num_cpus=1)(work)
                waiting = {remote.remote(unit, task): unit for unit in units}
            while waiting:
                with _ray_errors():
                    (finished, *_), _ = ray.wait(list(waiting))
                unit = waiting.pop(finished)
                yield unit, _ending(finished)


@contextmanager
def _ray(workers: RayWorkers) -> Iterator[Any]:
    """Start Ray, or join a cluster; yield its package, and leave it at the end.

    Raises:
        UsageError: ray is not installed.
        DeviceError: it does not start, or there is no such cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("realtime.batch.archive needs Ray: pip install ray") from error
    with _ray_errors():
        if not ray.is_initialized():
            count = None if workers.cluster else workers.workers
            ray.init(address=workers.cluster, num_cpus=count, include_dashboard=False,
                     log_to_driver=False, logging_level=logging.ERROR)  # fmt: skip
    try:
        yield ray
    finally:
        ray.shutdown()


def _ending(finished: Any) -> Ending:
    import ray

    try:
        return ray.get(finished)
    except ray.exceptions.RayTaskError as error:  # a bug, or no memory
        cause = getattr(error, "cause", None) or error
        words = str(cause).strip().splitlines() or [""]
        return Ending(BrokenSourceError.status, f"{type(cause).__name__}: {words[-1]}")
    except ray.exceptions.RayError as error:
        reason = f"its worker died {RETRIES + 1} times ({type(error).__name__})"
        return Ending(BrokenSourceError.status, reason)


@contextmanager
def _ray_errors() -> Iterator[None]:
    """Turn failures of Ray itself into one line.

    Raises:
        DeviceError: it does not run.
    """
    try:
        yield
    except (GarmentError, KeyboardInterrupt, SystemExit):
        raise
    except Exception as error:
        words = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DeviceError(f"Ray does not run ({words}): check its temp folder (/tmp/ray) and "
                          "--address") from error  # fmt: skip
