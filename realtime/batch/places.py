"""Where the results of an archive lie: one run at a time, names that stay, nothing half-written.

- `OUT/.lock` is held by the run that writes.
- `OUT/NAME.parquet` and `OUT/NAME.mp4` are the results of a video.
- `OUT/units/NAME/` holds its units, and video.json, which says whose they are.
- `.unfinished-*` is what a killed run leaves, beside its place.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import av
from filelock import FileLock, Timeout

from preprocessing.errors import SinkError
from preprocessing.files import letters
from realtime.batch.several import file_names

LOCK, UNITS, VIDEO = ".lock", "units", "video.json"
UNFINISHED = ".unfinished-"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other runs away from a folder, which is made; what killed runs left is removed.

    Raises:
        SinkError: another run has it, or it cannot be written.
    """
    with sink_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise SinkError(f"another run writes into {out}: wait for its end, or give another "
                            "--out DIR") from error  # fmt: skip
        except NotImplementedError as error:
            raise SinkError(f"the file system of {out} has no locks, which keep two runs apart: "
                            "give another --out DIR") from error  # fmt: skip
    try:
        _remove_unfinished(out)
        yield
    finally:
        _remove_unfinished(out)  # of workers that were stopped
        lock.release()


@contextmanager
def sink_errors(path: Path) -> Iterator[None]:
    """Turn errors of writing inside the block into SinkError.

    Raises:
        SinkError: something below the path cannot be written.
    """
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise SinkError(not_written(path, error)) from error


def not_written(path: Path, error: BaseException) -> str:
    """The line for an error of writing below a path."""
    reason = getattr(error, "strerror", None) or error
    return (f"cannot write {path} ({reason}): make room or check its permissions, and start again; "
            "finished units are kept")  # fmt: skip


def _remove_unfinished(out: Path) -> None:
    for folder in (out, *(out / UNITS).glob("*/")):
        for path in folder.glob(f"{UNFINISHED}*"):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or folder; what cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """A name beside a file or folder, for what is not whole yet: hidden, and nobody else's."""
    return path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}{path.suffix}")


def put(new: Path, place: Path) -> None:
    """Rename a whole folder to its place, in one step, after an older one there was put away.

    Raises:
        OSError: it cannot be renamed.
    """
    _to_disk(new)
    discard(place)
    new.rename(place)


def discard(folder: Path) -> None:
    """Remove a folder, if there is one, so that never a part of it stands in its place.

    Raises:
        OSError: it cannot be renamed.
    """
    old = unfinished(folder)
    with suppress(FileNotFoundError):
        folder.rename(old)
        remove(old)


def _to_disk(folder: Path) -> None:
    """Write a folder's files through, so that they are whole after a power cut too."""
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())


def names_of(videos: Sequence[str], out: Path) -> dict[str, str]:
    """A name in `out` for each video, given as absolute paths: the one that it has there already.

    A new one gets its own, or, where another video has that, "-2", "-3", ... behind it.
    """
    names = dict(filter(None, map(_video_of, (out / UNITS).glob("*/"))))
    taken = {letters(name) for name in names.values()}
    own = {video: file_names([video])[0] for video in videos if video not in names}
    wanted = set(map(letters, own.values()))
    for video, name in own.items():
        if letters(name) in taken:
            more = (f"{name}-{number}" for number in count(2))
            name = next(one for one in more if letters(one) not in taken | wanted)
        taken.add(letters(name))
        names[video] = name
    return {video: names[video] for video in videos}


def _video_of(folder: Path) -> tuple[str, str] | None:
    """The video whose units are in a folder, and its name; None if that is not known."""
    try:
        found = json.loads((folder / VIDEO).read_text())
        return str(found["path"]), str(found["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_video(folder: Path, video: str, name: str) -> None:
    """Write whose units a folder holds.

    Raises:
        OSError: it cannot be written.
    """
    if _video_of(folder) != (video, name):
        folder.mkdir(parents=True, exist_ok=True)
        new = unfinished(folder / VIDEO)
        new.write_text(json.dumps({"path": video, "name": name}))
        new.replace(folder / VIDEO)
