"""The folder in which OpenVINO keeps a network that it has compiled: each file with a checksum.

OpenVINO takes what it finds there. A file that is damaged, or that a killed process has left
half-written, would be used; here it is removed, and the network compiled anew.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

BLOBS, SEAL = "*.blob", ".blake2b"
LOCK, LOCK_SECONDS = "lock", 30.0  # in which another process compiles the same network
logger = logging.getLogger(__name__)
_whole: dict[Path, tuple[int, int]] = {}  # size and time of change of files that were checked


@contextmanager
def compiled_folder(cache: str, weights: Path) -> Iterator[str]:
    """Give the folder for a network, with no file in it that is not whole; "" for none.

    Args:
        cache: the folder of all networks; "" for none.
        weights: file of the network.
    """
    try:
        folder, lock = _locked(cache, weights) if cache else (None, None)
    except (OSError, Timeout) as error:
        logger.info("%s is compiled without a cache: %s", weights, error)
        folder, lock = None, None
    try:
        yield str(folder or "")
        if folder:
            with suppress(OSError):
                _seal(folder)
    finally:
        if lock:
            lock.release()


def _locked(cache: str, weights: Path) -> tuple[Path, FileLock]:
    key = hashlib.blake2b(os.fsencode(weights.absolute()), digest_size=8).hexdigest()
    folder = Path(cache) / key
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / LOCK)
    lock.acquire(LOCK_SECONDS)
    try:
        _remove_damaged(folder)
    except BaseException:
        lock.release()
        raise
    return folder, lock


def _remove_damaged(folder: Path) -> None:
    for seal in folder.glob(f"*{SEAL}"):
        if not seal.with_suffix(".blob").is_file():  # removed for lack of space
            seal.unlink()
    for blob in folder.glob(BLOBS):
        seal = blob.with_suffix(SEAL)
        if seal.is_file() and _whole.get(blob) == _state(blob):
            continue
        if not seal.is_file() or seal.read_text(errors="replace") != _checksum(blob):
            logger.warning("%s is damaged: the network is compiled anew", blob)
            seal.unlink(missing_ok=True)
            blob.unlink()
            continue
        _whole[blob] = _state(blob)


def _seal(folder: Path) -> None:
    for blob in folder.glob(BLOBS):
        if _whole.get(blob) != _state(blob):  # new, perhaps in place of one of the same name
            blob.with_suffix(SEAL).write_text(_checksum(blob))
            _whole[blob] = _state(blob)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
