"""Random requests to every route of the page, while it shows and records.

Whoever asks, no answer may be a 5xx, no traceback may be logged, and the process has to live, with
the memory, threads and open files that it had.
"""

import random
import re
import secrets
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from realtime.bench.live.endurance import Resources, resources
from realtime.bench.live.odd_requests import Drawer, Request
from realtime.bench.live.siege import recording
from realtime.bench.speed.clips import Clip, build, looped
from realtime.runtime.worker import Background

CLIENTS = 4
RATE, LEAST_SECONDS = 25, 120  # frames a second of the recording, and its length
WHOLE_SECONDS, BROKEN_SECONDS = 60.0, 0.2  # to wait for an answer, and where none may come
ENDLESS = ("/stream", "/events")
MOST_BYTES = 100_000  # of an answer
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
SAMPLE_SECONDS = 0.5
SETTLING_SECONDS = 15.0  # until idle connections have timed out
SHOWN = 5  # requests that went wrong


@dataclass
class Outcome:
    """Answers to requests.

    Attributes:
        answers: by status; 0 for a connection that was closed, or that stayed silent.
        routes: by the path that the request was made from.
        faults: descriptions of those that were answered with a 5xx, or not at all.
    """

    answers: Counter[int] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.answers += other.answers
        self.routes += other.routes
        self.faults += other.faults
        return self


def fuzz(folder: Path, *, seed: int, seconds: float = 0.0, requests: int = 0) -> tuple[str, bool]:
    """The figures of random requests, and True if nothing went wrong.

    Args:
        folder: scratch.
        seconds: for which requests are made; 0 for a number of them.
        requests: that each client makes; 0 for as many as come in `seconds`.

    Raises:
        UsageError: the app did not start.
    """
    tokens = {"viewer": secrets.token_hex(8), "admin": secrets.token_hex(8)}
    clip = looped(
        folder / "in.mp4",
        build(folder / "once.mp4", Clip(25)),
        round(2 * seconds + LEAST_SECONDS) * RATE,
    )
    log, seen = folder / "app.log", []
    environment = {"GARMENTS_TOKEN": tokens["admin"], "GARMENTS_VIEWER_TOKEN": tokens["viewer"]}
    with recording(clip, folder / "out.mp4", "--log", str(log), **environment) as (process, port):
        seen.append(resources(process.pid))
        until = time.monotonic() + seconds if seconds else float("inf")
        watcher = Background(lambda: seen.extend(_watched(process.pid, watcher)), name="watcher")
        watcher.start()
        try:
            found = _asked(port, tokens, seed=seed, until=until, requests=requests)
        finally:
            watcher.stop()
        if seconds:
            time.sleep(SETTLING_SECONDS)
        lives = process.poll() is None
        seen += [resources(process.pid)] if lives else []
        process.terminate()
        status = process.wait(WHOLE_SECONDS)
    logged = log.read_text(errors="replace").count("Traceback")
    return _report(found, seen, logged=logged, status=status), bool(
        lives and not found.faults and not logged
    )


def _watched(pid: int, watcher: Background) -> Iterator[Resources]:
    while not watcher.stopped():
        with suppress(OSError):
            yield resources(pid)
        time.sleep(SAMPLE_SECONDS)


def _asked(port: int, tokens: dict[str, str], *, seed: int, until: float, requests: int) -> Outcome:
    ask = partial(_client, port, tokens, until=until, requests=requests)
    total = Outcome()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for found in pool.map(ask, range(seed * CLIENTS, (seed + 1) * CLIENTS)):
            total += found
    return total


def _client(
    port: int, tokens: dict[str, str], seed: int, *, until: float, requests: int
) -> Outcome:
    drawer, found = Drawer(random.Random(seed), tokens, port), Outcome()
    while time.monotonic() < until and not (requests and found.routes.total() >= requests):
        request = drawer.request()
        # Wrong tokens make the address wait that they come from: others shall get through.
        status = _status(
            port, request, caller=f"127.0.{seed % 200}.{found.routes.total() % 250 + 1}"
        )
        found.routes[request.route] += 1
        found.answers[status] += 1
        if status >= 500 or (not status and request.whole):
            found.faults.append(f"{status or 'no answer'} to {request.data[:300]!r}")
    return found


def _status(port: int, request: Request, *, caller: str) -> int:
    """The status of the answer; 0 for none."""
    patience, answer = WHOLE_SECONDS if request.whole else BROKEN_SECONDS, b""
    try:
        with socket.create_connection(("127.0.0.1", port), patience, (caller, 0)) as line:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may come before the end
                line.sendall(request.data)
            if request.socket:
                answer = _conversed(line, request.socket)
            for part in _parts(line, endless=request.route in ENDLESS):
                answer += part
    except OSError:
        pass  # it closed the connection, or is silent
    found = STATUS.match(answer)
    return int(found[1]) if found else 0


def _conversed(line: socket.socket, frames: Iterable[bytes]) -> bytes:
    """Everything received before and between the frames of a WebSocket."""
    answer = b""
    for frame in frames:
        with suppress(TimeoutError):
            answer += line.recv(4096)
        line.sendall(frame)
    return answer


def _parts(line: socket.socket, *, endless: bool) -> Iterator[bytes]:
    size = 0
    while (part := line.recv(16_384)) and size < MOST_BYTES:
        yield part
        size += len(part)
        if endless:
            return


def _report(found: Outcome, seen: list[Resources], *, logged: int, status: int) -> str:
    answers = ", ".join(
        f"{count} x {one or 'none'}" for one, count in sorted(found.answers.items())
    )
    routes = ", ".join(f"{route} {count}" for route, count in sorted(found.routes.items()))
    peak = [max(getattr(one, name) for one in seen) for name in ("memory", "threads", "files")]
    first, last = seen[0], seen[-1]
    return "\n".join([
        f"{found.routes.total()} requests: {answers}", f"by route: {routes}",
        f"memory {first.memory:.0f} MB, at most {peak[0]:.0f}, then {last.memory:.0f}; threads "
        f"{first.threads}, {peak[1]}, {last.threads}; files {first.files}, {peak[2]}, {last.files}",
        f"{len(found.faults)} answers of 5xx or none, {logged} tracebacks, exit status {status}",
        *found.faults[:SHOWN],
    ])  # fmt: skip
