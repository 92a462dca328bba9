"""The folder for compiled networks, which load faster than their files."""

import logging
import os
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

NAME = "garments"
MOST, LEAST = 512 * 2**20, 256 * 2**20  # bytes: from the first on the oldest go, to the second
logger = logging.getLogger(__name__)


@lru_cache
def cache_folder() -> str:
    """Return the user's folder for compiled networks; "" where none can be written.

    Networks then are compiled at every start, which takes a second or two.
    """
    try:
        from platformdirs import user_cache_dir  # read only where networks are loaded

        folder = Path(user_cache_dir(NAME, appauthor=False))
        if not folder.is_absolute():
            raise OSError("there is no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, ValueError, ImportError) as error:
        logger.warning("no cache for compiled networks (%s): they are compiled at each start, in "
                       "some seconds; XDG_CACHE_HOME may name a folder", error)  # fmt: skip
        return ""
    _shrink(folder)
    return str(folder)


def _shrink(folder: Path) -> None:
    """Remove the files that were not used for longest, if there are too many."""
    with suppress(OSError):
        found = [(path.stat(), path) for path in folder.rglob("*.blob")]
        size = sum(status.st_size for status, _ in found)
        if size <= MOST:
            return
        for status, path in sorted(found, key=lambda one: max(one[0].st_atime, one[0].st_mtime)):
            os.unlink(path)
            size -= status.st_size
            if size <= LEAST:
                return
