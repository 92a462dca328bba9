"""Files that viewers send: one at a time on the disk, which only this user can read."""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from starlette.requests import ClientDisconnect

from preprocessing.errors import SinkError, UsageError
from realtime.page.commands import BusyError

PREFIX = "garments-upload-"
LOCK = "lock"
MAX_BYTES = 500 * 2**20
CHUNK_SECONDS = 15  # at most, between two parts of a file
MAX_CALLERS = 1  # who send at the same time
logger = logging.getLogger(__name__)


class Uploads:
    """A folder of its own for the files of one process.

    Folders that killed processes have left are removed; the lock in each tells those that live.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        try:
            _remove_abandoned(Path(tempfile.gettempdir()))
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = FileLock(self._folder / LOCK)
            self._lock.acquire()
        except OSError as error:
            logger.warning("the page takes no uploads (%s): TMPDIR may name a folder", error)
        self._sending = asyncio.Semaphore(MAX_CALLERS)
        self._kept: Path | None = None

    async def receive(self, chunks: AsyncIterator[bytes]) -> Path:
        """Write a file; return its path.

        Raises:
            BusyError: another one is on its way.
            UsageError: it is empty, too large, or comes too slowly.
            SinkError: the disk is full, or there is no folder for it.
        """
        if self._lock is None:
            raise SinkError("there is no temporary folder for an upload: TMPDIR may name one")
        if self._sending.locked():
            raise BusyError("another upload is on its way: try again later")
        async with self._sending:
            number, name = tempfile.mkstemp(dir=self._folder)
            path = Path(name)
            try:
                with open(number, "wb") as file:
                    await _write(chunks, file)
            except BaseException as error:
                self.remove(path)
                if isinstance(error, OSError):
                    raise SinkError(f"the upload cannot be kept: {error.strerror}") from error
                raise
            return path

    def keep(self, path: Path) -> None:
        """Keep a file that is shown, and remove the one before."""
        if self._kept:
            self.remove(self._kept)
        self._kept = path

    def remove(self, path: Path) -> None:
        """Remove a file; what still reads it reads on."""
        with suppress(OSError):
            path.unlink()

    def close(self) -> None:
        """Remove everything."""
        if self._lock:
            self._lock.release()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


async def _write(chunks: AsyncIterator[bytes], file: "object") -> None:
    size = 0
    parts = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await anext(parts)
        except StopAsyncIteration:
            break
        except ClientDisconnect:
            raise UsageError("the upload broke off") from None
        except TimeoutError:
            raise UsageError(f"the upload stood still for {CHUNK_SECONDS} s") from None
        size += len(chunk)
        if size > MAX_BYTES:
            raise UsageError(f"an upload may have {MAX_BYTES // 2**20} MB")
        await asyncio.to_thread(file.write, chunk)  # type: ignore[attr-defined]
    if not size:
        raise UsageError("the upload is empty")


def _remove_abandoned(folder: Path) -> None:
    """Remove the folders of this user's processes that have ended."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            if path.is_symlink() or not path.is_dir() or not _is_own(path):
                continue
            with FileLock(path / LOCK, blocking=False):
                shutil.rmtree(path, ignore_errors=True)
                logger.info("removed %s, which another run has left", path)


def _is_own(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
