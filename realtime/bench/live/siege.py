"""A recording while its page is besieged: commands, idle connections, uploads, pixel bombs.

Whatever clients send, every frame has to be in the file, and the process to come back to the
memory, threads and open files that it had.
"""

import io
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path

import av
from PIL import Image

from preprocessing.errors import UsageError
from realtime.bench.live.endurance import Resources, resources
from realtime.bench.speed.clips import Clip, build, looped
from realtime.bench.speed.measure import ROOT
from realtime.runtime.worker import Background
from realtime.sources import DEMO

CLIENTS, COMMANDS = 8, 1000
HALF_OPEN, JUNK, LARGE, BOMBS = 2000, 2000, 50, 100
LARGE_BYTES, PIECE = 400 * 2**20, 2**20
BOMB_SIDE = 25_000  # pixels; half a megabyte of PNG, which would become 1.9 GB
SAMPLE_SECONDS = 0.2  # between looks at the process
RATE = 25  # frames a second of the recording
PATIENCE = 60.0  # seconds, for an answer


@dataclass(frozen=True)
class Phase:
    """One kind of attack, and its outcome.

    Attributes:
        answers: counts by HTTP status; 0 for connections that were closed.
    """

    name: str
    seconds: float
    answers: Counter[int]
    peak: Resources


def besiege(folder: Path, seconds: float) -> str:
    """The figures of a recording of so many seconds and more, and of what clients did meanwhile.

    Raises:
        UsageError: the app did not start, or did not end well.
    """
    clip = looped(folder / "in.mp4", build(folder / "once.mp4", Clip(600)), 60 * 60 * RATE)
    out = folder / "out.mp4"
    with recording(clip, out, "--open") as (process, port):
        time.sleep(2)
        before = resources(process.pid)
        phases = [_phase(name, process.pid, partial(act, port)) for name, act in _attacks(seconds)]
        _ask(port, "POST", "/stop")
        time.sleep(12)  # until idle connections have timed out
        after, state = resources(process.pid), json.loads(_ask(port, "GET", "/state")[1])
        process.terminate()
        status = process.wait(PATIENCE)
    times = _times(out)
    lost = sum(1 for now, then in pairwise(times) if then - now != times[1])
    lines = [_line("before", before), *map(_phase_line, phases), _line("after", after)]
    return "\n".join([
        *lines, f"exit status {status}; {state['recording']['written']} frames written when asked, "
        f"{len(times)} in the file, {lost} gaps between them",
    ])  # fmt: skip


def _attacks(seconds: float) -> Iterator[tuple[str, Callable[[int], Counter[int]]]]:
    yield f"{HALF_OPEN} half-open connections", _half_open
    junk = random.Random(0).randbytes(10_000)
    yield f"{JUNK} uploads of junk", lambda port: _uploads(port, [junk], JUNK)
    piece = bytes(PIECE)
    pieces = [piece] * (LARGE_BYTES // PIECE)
    yield f"{LARGE} uploads of 400 MB", lambda port: _uploads(port, pieces, LARGE)
    bomb = io.BytesIO()
    Image.new("1", (BOMB_SIDE, BOMB_SIDE)).save(bomb, "PNG")
    yield f"{BOMBS} pixel bombs", lambda port: _uploads(port, [bomb.getvalue()], BOMBS)
    upload = DEMO.read_bytes()
    yield f"{COMMANDS} commands of {CLIENTS} clients", lambda port: _commands(port, seconds, upload)


@contextmanager
def recording(
    clip: Path, out: Path, *flags: str, **environment: str
) -> Iterator[tuple[subprocess.Popen, int]]:
    """The app while it records a clip and serves its page; and the page's port.

    Raises:
        UsageError: it did not start.
    """
    command = [sys.executable, str(ROOT / "run_realtime.py"), str(clip), "-o", str(out), "--model",
               "deep", "--locate", "segment", "--serve", "127.0.0.1:0", *flags]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                               env=os.environ | environment)  # fmt: skip
    try:
        found = None
        for line in process.stderr or ():
            if found := re.match(r"page: http://127.0.0.1:(\d+)/", line):
                break
        if not found:
            raise UsageError("the app did not open its page")
        Background(partial(_drain, process), name="stderr").start()
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()


def _drain(process: subprocess.Popen) -> None:
    """Read what a process prints, which would else wait."""
    deque(process.stderr or (), maxlen=0)


def _phase(name: str, pid: int, act: Callable[[], Counter[int]]) -> Phase:
    """Act, and watch the process meanwhile."""
    start, seen = time.monotonic(), [resources(pid)]

    def watch() -> None:
        while not watcher.stopped():
            seen.append(resources(pid))
            time.sleep(SAMPLE_SECONDS)

    watcher = Background(watch, name="watcher")
    watcher.start()
    try:
        answers = act()
    finally:
        watcher.stop()
    peak = Resources(0, max(one.memory for one in seen), max(one.threads for one in seen),
                     max(one.files for one in seen))  # fmt: skip
    return Phase(name, time.monotonic() - start, answers, peak)


def _commands(port: int, seconds: float, upload: bytes) -> Counter[int]:
    """Random commands of the page, evenly over the seconds."""
    pause = seconds * CLIENTS / COMMANDS

    def press(seed: int) -> Counter[int]:
        rng, answers = random.Random(seed), Counter[int]()
        for _ in range(COMMANDS // CLIENTS):
            start = time.monotonic()
            method, path, body = _command(rng, upload)
            answers[_ask(port, method, path, body)[0]] += 1
            time.sleep(max(0.0, pause - (time.monotonic() - start)))
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(press, range(CLIENTS)), Counter())


def _command(rng: random.Random, upload: bytes) -> tuple[str, str, bytes]:
    method, path, body = rng.choice([
        ("POST", "/pause", {"paused": rng.random() < 0.5}), ("POST", "/stop", {}),
        ("POST", "/source", {"source": rng.choice(["demo", "recording", "fake://30fps", "x"])}),
        ("POST", "/settings", {"model": "baseline", "threshold": rng.random()}),
        ("POST", "/pick", {"x": rng.random(), "y": rng.random()}),
        ("POST", "/teach", {"pick": rng.randrange(9), "name": "mine"}),
        ("PUT", "/upload", None), ("GET", "/snapshot", None), ("GET", "/metrics", None),
    ])  # fmt: skip
    return method, path, json.dumps(body).encode() if body is not None else upload


def _half_open(port: int) -> Counter[int]:
    """Connections that never finish a request, and then a request of somebody else."""
    with ExitStack() as stack:
        for _ in range(HALF_OPEN):
            with suppress(OSError):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                client.sendall(b"GET /state HTTP/1.1\r\nHost: ")
        time.sleep(15)  # they are closed meanwhile
        return Counter([_ask(port, "GET", "/state")[0]])


def _uploads(port: int, pieces: Sequence[bytes], count: int) -> Counter[int]:
    size = sum(map(len, pieces))

    def upload(_: int) -> int:
        return _ask(port, "PUT", "/upload", pieces, size)[0]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(upload, range(count)))


def _ask(
    port: int,
    method: str,
    path: str,
    body: "bytes | Sequence[bytes]" = b"",
    size: int | None = None,
) -> tuple[int, bytes]:
    """The status and body of an answer; status 0 for none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json", "Host": f"127.0.0.1:{port}"}
    if size is not None:
        headers["Content-Length"] = str(size)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before the end
            connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def _times(path: Path) -> list[int]:
    with av.open(str(path)) as video:
        return sorted(packet.pts for packet in video.demux(video=0) if packet.pts is not None)


def _phase_line(phase: Phase) -> str:
    answers = ", ".join(f"{count} x {status or 'closed'}"
                        for status, count in sorted(phase.answers.items()))  # fmt: skip
    return f"{_line(phase.name, phase.peak)}; {phase.seconds:.0f} s; {answers}"


def _line(name: str, seen: Resources) -> str:
    return f"{name}: {seen.memory:.0f} MB, {seen.threads} threads, {seen.files} files"
