"""Object stores, by fsspec: videos that are fetched from them, and results that are put there.

Everything is worked on in local files, in a folder of TMPDIR. A file is put under a hidden name
and then renamed, so that nothing half-written has its place; a unit's record is put last.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from preprocessing.errors import GarmentError, SinkError, SourceError, UsageError
from realtime.batch.places import UNFINISHED, UNITS, VIDEO, remove, unfinished
from realtime.runtime.masking import masked
from realtime.runtime.worker import cores
from realtime.sources.addresses import FILE_SCHEME, has_scheme

ENDS = 64 * 2**10  # bytes at each end of a file by which it is known
RECORD = "record.json"
COPIES = 2  # of videos for each core, that a machine keeps
VERSIONS = ("ETag", "etag", "version_id", "md5Hash", "mtime", "LastModified", "last_modified",
            "created")  # fmt: skip  # that stores give of a file, the first that one has


def in_store(address: str) -> bool:
    """True for the URL of something in a store, which is no path."""
    return has_scheme(address) and not address.lower().startswith(FILE_SCHEME)


def file_system(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Raises:
        UsageError: a package is missing, or there is no such kind of store.
    """
    try:
        import fsspec

        found: tuple[Any, str] = fsspec.core.url_to_fs(address)
    except ImportError as error:
        needed = str(error) if "fsspec" not in str(error) else "pip install fsspec"
        raise UsageError(f"{masked(address)} needs another package: {needed}") from error
    except ValueError as error:
        raise UsageError(f"{masked(address)} is in no store that fsspec knows: {error}") from error
    return found


@contextmanager
def store_errors(address: str, kind: type[GarmentError], verb: str) -> Iterator[None]:
    """Turn what a store raises, which may be any exception, into one line."""
    try:
        yield
    except GarmentError:
        raise
    except Exception as error:
        words = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if isinstance(error, FileNotFoundError):
            words = "there is no such file"
        raise kind(f"cannot {verb} {masked(address)}: {words}") from error


def identity(address: str) -> dict[str, Any]:
    """The URL, size in bytes, version and SHA-256 of both ends of a file in a store.

    Raises:
        SourceError: it cannot be read.
    """
    system, path = file_system(address)
    with store_errors(address, SourceError, "open"):
        system.invalidate_cache()
        info = system.info(path)
        size = int(info["size"])
        ends = hashlib.sha256(system.cat_file(path, 0, min(size, ENDS)))
        ends.update(system.cat_file(path, max(0, size - ENDS), size))
    version = next((str(info[name]) for name in VERSIONS if info.get(name)), "")
    return {"path": address, "bytes": size, "version": version, "ends_sha256": ends.hexdigest()}


@contextmanager
def local(address: str) -> Iterator[str]:
    """The path of a local file; of a file in a store that of a copy, which is there meanwhile.

    A machine keeps the copies that it used last, so that the units of a video fetch it once.

    Raises:
        SourceError: it cannot be read; errors in the block name the file in the store.
    """
    if not in_store(address):
        yield address
        return
    folder = scratch() / f"use-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        folder.mkdir()
        link = folder / (Path(address).name or "video")
        _link_copy(address, link)
        yield str(link)
    except GarmentError as error:
        error.args = (str(error).replace(str(folder / Path(address).name), masked(address)),)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link_copy(address: str, link: Path) -> None:
    """Link the machine's copy of a file, which is fetched if it is not there."""
    known = hashlib.sha256(json.dumps(identity(address)).encode()).hexdigest()[:32]
    copies = scratch() / "copies"
    copies.mkdir(exist_ok=True)
    copy = copies / known
    with FileLock(copies / f"{known}.lock"):
        if not copy.exists():
            system, path = file_system(address)
            new = unfinished(copy)
            with store_errors(address, SourceError, "read"):
                system.get_file(path, str(new))
                new.replace(copy)
        os.utime(copy)
        os.link(copy, link)
    _forget(copies)


def _forget(copies: Path) -> None:
    """Remove the copies that were used least recently; whoever works on one has a link of it."""
    with suppress(OSError):
        found = [one for one in copies.iterdir() if one.suffix != ".lock"]
        found.sort(key=lambda one: one.stat().st_mtime)
        for old in found[: max(0, len(found) - COPIES * cores())]:
            old.unlink(missing_ok=True)


def scratch() -> Path:
    """The user's folder in TMPDIR for copies and results, which is made.

    Raises:
        SinkError: it cannot be written, or is somebody else's.
    """
    owner = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"garments-archive-{owner}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != owner:
            raise PermissionError(1, "it belongs to another user")
    except OSError as error:
        raise SinkError(f"cannot write {folder} ({error.strerror}): set TMPDIR to another "
                        "folder") from error  # fmt: skip
    return folder


def _rename(system: Any, new: str, place: str) -> None:
    """Rename a file over another one; remove that first only where the store does no such thing."""
    try:
        system.mv(new, place)
    except Exception:
        if not (system.exists(new) and system.exists(place)):
            raise
        system.rm_file(place)
        system.mv(new, place)


@dataclass(frozen=True)
class Store:
    """A folder in a store, and the local folder in which its content is made.

    Attributes:
        url: of the folder in the store.
        folder: whose files are put there under the same names.
    """

    url: str
    folder: Path

    @classmethod
    def of(cls, url: str) -> "Store":
        """The store of a URL, with a local folder that every machine names alike."""
        name = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]
        return cls(url.rstrip("/"), scratch() / f"out-{name}")

    def keep_videos(self, videos: Sequence[str], paths: Iterable[Path]) -> None:
        """Refuse to put a file in the place of a video.

        Raises:
            SinkError: a path's place in the store is one of the videos.
        """
        given = {file_system(video)[1] for video in videos if in_store(video)}
        for path in paths:
            if self._place(path)[1] in given:
                name = path.relative_to(self.folder)
                raise SinkError(f"{masked(self.url)}/{name} is the input itself: give another "
                                "--out")  # fmt: skip

    def put(self, path: Path) -> None:
        """Put a local file, or the files of a folder, into the store; a unit's record last.

        Raises:
            SinkError: the store takes it not.
        """
        with store_errors(self.url, SinkError, "write"):
            if path.is_file():
                return self._put_file(path)
            system, place = self._place(path / RECORD)
            if system.exists(place):
                system.rm_file(place)  # what it is about is replaced
            for file in sorted(path.iterdir(), key=lambda one: one.name == RECORD):
                self._put_file(file)

    def _put_file(self, path: Path) -> None:
        system, place = self._place(path)
        parent, _, name = place.rpartition("/")
        system.makedirs(parent, exist_ok=True)
        new = f"{parent}/{UNFINISHED}{os.urandom(8).hex()}-{name}"
        try:
            system.put_file(str(path), new)
            _rename(system, new, place)
        except BaseException:
            with suppress(Exception):
                system.rm_file(new)
            raise

    def get_names(self) -> None:
        """Fetch whose units there are.

        Raises:
            SinkError: the store cannot be read.
        """
        system, place = self._place(self.folder / UNITS)
        with store_errors(self.url, SinkError, "read"):
            system.invalidate_cache()
            for one in system.glob(f"{place}/*/{VIDEO}"):
                self._get_file(system, one, self.folder / UNITS / one.split("/")[-2] / VIDEO)

    def get(self, folder: Path) -> None:
        """Fetch a unit's folder, unless it is here, or not whole in the store.

        Raises:
            SinkError: the store cannot be read.
        """
        system, place = self._place(folder)
        with store_errors(self.url, SinkError, "read"):
            system.invalidate_cache()
            if folder.is_dir() or not system.exists(f"{place}/{RECORD}"):
                return
            new = unfinished(folder)
            try:
                for one in system.ls(place, detail=False):
                    if not one.rpartition("/")[2].startswith(UNFINISHED):
                        self._get_file(system, one, new / one.rpartition("/")[2])
                new.rename(folder)
            finally:
                remove(new)

    def remove_others(self, folder: Path, kept: set[str]) -> None:
        """Remove the units of a video's folder that are none any more, and what is unfinished.

        Raises:
            SinkError: the store cannot be written.
        """
        system, place = self._place(folder)
        with store_errors(self.url, SinkError, "write"):
            if not system.isdir(place):
                return
            for one in system.ls(place, detail=False):
                name = one.rstrip("/").rpartition("/")[2]
                if name.startswith(UNFINISHED) or (name.isdecimal() and name not in kept):
                    system.rm(one, recursive=True)

    def forget(self) -> None:
        """Remove what is in the local folder: what counts is in the store."""
        for one in self.folder.iterdir():
            if not one.name.startswith("."):
                remove(one)

    def _get_file(self, system: Any, place: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        system.get_file(place, str(path))

    def _place(self, path: Path) -> tuple[Any, str]:
        system, root = file_system(self.url)
        return system, f"{root.rstrip('/')}/{path.relative_to(self.folder).as_posix()}"
