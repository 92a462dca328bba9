"""Outputs that exist already: written beside their places, and renamed once they are whole."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from preprocessing.errors import SinkError
from preprocessing.files import free_path
from realtime.sinks.sink_table import SINKS, OutputSettings

# Links that lead to what the shell has opened, and that must stay open.
OPENED = (Path("/dev/stdout"), Path("/dev/stderr"), Path("/dev/fd"), Path("/proc"))
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Replacement:
    """An output that exists, and the file that replaces it.

    Attributes:
        output: as the user named it.
        old: where its links lead.
        new: beside `old`.
        empty_is_whole: True if nothing to write is an empty file, as for rows.
    """

    output: Path
    old: Path
    new: Path
    empty_is_whole: bool


@contextmanager
def replacing(
    outputs: OutputSettings, *, whole: Callable[[BaseException], bool]
) -> Iterator[OutputSettings]:
    """Give outputs to write; those whose files exist are renamed to their names at the end.

    A file that exists is there, as it was, until the new one is whole. If that never comes, the
    old one stays, and the new one beside it as out.part.mp4, or out.part-2.mp4 where that is taken;
    so after `kill -9`. Files that do not exist are written under their own names at once.

    Args:
        whole: asked about an exception that leaves the block: True if the outputs are whole all
            the same, as those of a camera are that the user has ended.

    Raises:
        SinkError: a file cannot be replaced.
    """
    found = list(_replacements(outputs))
    paths = {name: one.new for name, one in found}
    try:
        yield replace(outputs, paths={**outputs.paths, **paths})
    except BaseException as error:
        (_replace if whole(error) else _leave)(found)
        raise
    _replace(found)


def _replacements(outputs: OutputSettings) -> Iterator[tuple[str, Replacement]]:
    taken = {Path(os.path.realpath(path)) for path in outputs.paths.values()}
    for name, path in outputs.paths.items():
        row = SINKS.get(name)
        if (row and row.is_folder) or not _is_worth_keeping(name, path):
            continue
        old = Path(os.path.realpath(path))
        new = free_path(
            old.with_name(f"{old.stem}.part{old.suffix}"),
            taken=lambda other: other in taken or os.path.lexists(other) or parts(other).exists(),
        )
        taken.add(new)
        logger.info("%s exists: %s replaces it at the end", path, new)
        yield name, Replacement(path, old, new, empty_is_whole=bool(row and row.may_be_empty))


def _is_worth_keeping(name: str, path: Path) -> bool:
    absolute = path.absolute()
    if any(opened in (absolute, *absolute.parents) for opened in OPENED):
        return False
    killed = name == "parquet" and parts(path).is_dir()
    return killed or (path.is_file() and path.stat().st_size > 0)


def parts(path: Path) -> Path:
    """The folder that holds the finished parts of a Parquet file during a run."""
    return path.with_name(f"{path.name}.parts")


def _replace(found: Sequence[tuple[str, Replacement]]) -> None:
    for _, one in found:
        if not one.new.exists():
            continue
        if not one.empty_is_whole and not one.new.stat().st_size:
            one.new.unlink()
            continue
        try:
            if one.old.exists():
                shutil.copymode(one.old, one.new)
            os.replace(one.new, one.old)
        except OSError as error:
            raise SinkError(f"cannot replace {one.output} ({error.strerror}): the new file is "
                            f"{one.new}") from error  # fmt: skip


def _leave(found: Sequence[tuple[str, Replacement]]) -> None:
    """Name what a failed run leaves; remove what is empty."""
    kept = []
    for _, one in found:
        with suppress(OSError):
            if one.new.is_file() and not one.new.stat().st_size:
                one.new.unlink()
        if one.new.exists() or parts(one.new).exists():
            kept.append(f"{one.output} (new: {one.new.name})")
    if kept:
        logger.warning("not whole, so what was there is kept: %s", ", ".join(kept))
