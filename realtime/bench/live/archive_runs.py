"""Runs of the archive's command in processes of their own, and the contents of their results."""

import multiprocessing
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np

from preprocessing.errors import exit_status
from realtime.batch.archive import read_settings, run_archive
from realtime.batch.workers import in_turn

SIDE, FRAMES, RATE = 240, 36, 24  # pixels, frames and frames a second of a source
DISK = 24 * 2**20  # bytes
PATIENCE = 300.0  # seconds, for the end of a run
LOADED = ("realtime.library.pipeline", "realtime.sinks.video", "realtime.analysis.classifiers",
          "realtime.analysis.segmenter_locator", "openvino")  # once, for all runs  # fmt: skip
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, *LOADED])


class Run:
    """One run of the archive's command in a process of its own.

    Args:
        limit: of the bytes of each file that it writes; None for none.
        ray: run on Ray, instead of one unit after the other.
    """

    def __init__(self, argv: Sequence[str], log: Path, *, limit: int | None, ray: bool):
        self._log = log
        self._log.write_text("")
        self.process = PROCESSES.Process(target=_run, args=(list(argv), str(log), limit, ray))
        self.process.start()

    @property
    def lines(self) -> list[str]:
        """The lines that it has printed so far."""
        return self._log.read_text(errors="replace").splitlines()

    def wait_for(self, lines: int) -> None:
        """Wait until it has printed so many lines, or has ended."""
        end = time.monotonic() + PATIENCE
        while len(self.lines) < lines and self.process.is_alive() and time.monotonic() < end:
            time.sleep(0.01)

    def end(self) -> int | None:
        """Wait for its end; return its exit status, None if it does not end."""
        self.process.join(PATIENCE)
        status = self.process.exitcode
        self.process.kill()
        return status


def _run(argv: list[str], log: str, limit: int | None, ray: bool) -> None:
    """The process of a run."""
    number = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(number, 1)
    os.dup2(number, 2)
    sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ["XDG_CACHE_HOME"] = str(Path(log).parent / "cache")
    if limit:
        import resource

        os.environ["XDG_CACHE_HOME"] = os.devnull  # no half-written networks
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    process = None if ray else in_turn
    os._exit(exit_status(lambda: run_archive(read_settings(argv), process)))


@contextmanager
def small_disk(folder: Path, *, mount: bool) -> Iterator[Path | None]:
    """A small file system in a new folder, if one can be mounted there; else None."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if not mount or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def content_of(path: Path) -> object:
    """The rows of a table; the times and checksums of a video's pictures."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path).to_pylist()
    with av.open(str(path)) as container:
        return [(frame.pts, zlib.crc32(frame.to_ndarray(format="bgr24").tobytes()))
                for frame in container.decode(video=0)]  # fmt: skip


def clip(path: Path, kind: int) -> Path:
    """A dark shape that moves over light ground: another shade and speed for each kind."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"g": "10", "crf": "20"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for index in range(FRAMES + 5 * kind):
            image = np.full((SIDE, SIDE, 3), 225 - 10 * kind, np.uint8)
            x = 60 + round(30 * np.sin(index * (kind + 1) / 12))
            cv2.rectangle(image, (x, 70), (x + 90, 210), (90, 40 * kind, 30), cv2.FILLED)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path
