"""Events on their way to a receiver: files in a folder, removed once they are delivered.

A run that ends, or is killed, before its receiver took them leaves them to the next run that sends
to the same place.
"""

import os
import time
from collections import deque
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_dir

from preprocessing.errors import SinkError
from preprocessing.files import write_whole
from realtime.runtime.cache import NAME

MOST_RUNS = 64  # that send to one place at the same time
SUFFIX = ".json"


class Spool:
    """The waiting events of one run for one receiver, in order.

    One thread adds, another takes; neither waits for the other.

    Args:
        place: of the receiver, such as its URL.
        folder: of all spools; None for that of the user's state.
    """

    def __init__(self, place: str, *, folder: Path | None = None):
        root = folder or Path(user_state_dir(NAME, appauthor=False)) / "events"
        self._root = root / sha256(place.encode()).hexdigest()[:16]
        self._lock: FileLock | None = None
        self._waiting: deque[Path] = deque()
        self.folder = self._root

    def open(self) -> None:
        """Take a folder that no other run uses, with the events that an earlier run left there.

        Raises:
            SinkError: it cannot be made.
        """
        try:
            for number in range(1, MOST_RUNS + 1):
                self.folder = self._root / str(number)
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = FileLock(self.folder / "lock", blocking=False)
                try:
                    lock.acquire()
                except Timeout:
                    continue
                self._lock = lock
                self._waiting.extend(sorted(self.folder.glob(f"*{SUFFIX}")))
                return
        except OSError as error:
            raise SinkError(f"cannot keep events in {self.folder} ({error.strerror}): give another "
                            "--event-spool DIR") from error  # fmt: skip
        raise SinkError(f"{MOST_RUNS} runs already send events to this place")

    def add(self, name: str, content: bytes) -> None:
        """Add an event.

        Args:
            name: its id.

        Raises:
            SinkError: the disk is full, or not there any more.
        """
        path = self.folder / f"{time.time_ns():020d}-{name}{SUFFIX}"
        try:
            write_whole(path, content)
        except OSError as error:
            raise SinkError(f"cannot keep an event in {self.folder}: {error.strerror}") from error
        self._waiting.append(path)

    def first(self) -> tuple[str, bytes] | None:
        """Return the id and content of the event that has waited longest; None if none waits."""
        while self._waiting:
            path = self._waiting[0]
            try:
                return path.stem.partition("-")[2], path.read_bytes()
            except FileNotFoundError:  # somebody emptied the folder
                self._waiting.popleft()
        return None

    def delivered(self) -> None:
        """Remove the event that `first` gave."""
        self._waiting.popleft().unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """Let another run have the folder, with what waits in it."""
        if self._lock is None:
            return
        self._lock.release()
        if not self._waiting:
            for path in (self.folder / "lock", self.folder):
                try:
                    os.remove(path) if path.is_file() else path.rmdir()
                except OSError:  # another run has taken it
                    return
