"""Sources that open and never give a picture: one line, status 3, and nothing is held up."""

import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import fault
import make
import pytest
from fault import LIGHT
from waiting import until

from preprocessing.errors import SourceError
from realtime.runtime.hanging import Deadline
from realtime.runtime.worker import Prefetch
from realtime.sources import cameras, pipes
from realtime.sources.open_source import open_source
from realtime.sources.pipes import open_pipe
from realtime.sources.reconnect import ReconnectingSource

TIMEOUT = 0.5  # seconds
RTSP_HEAD = "RTSP/1.0 200 OK\r\nCSeq: {number}\r\n"
SDP = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n" \
      "a=rtpmap:96 H264/90000\r\na=control:track\r\n"  # fmt: skip


def silent(client):
    """Accept, and never answer."""


def headers_of_http(client):
    client.recv(65536)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")


def headers_of_rtsp(client):
    """Answer every request; send no packet."""
    while request := client.recv(65536).decode():
        lines = dict(line.split(": ", 1) for line in request.splitlines() if ": " in line)
        head, body = RTSP_HEAD.format(number=lines["CSeq"]), ""
        if request.startswith("DESCRIBE"):
            body = SDP
            head += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        if request.startswith("SETUP"):
            head += f"Transport: {lines['Transport']}\r\nSession: 1\r\n"
        client.sendall(f"{head}\r\n{body}".encode())


def pictures_without_an_end(client):
    """A transport stream of a video whose packets never make up a picture."""
    with suppress(OSError):
        while True:
            client.sendall(b"\x47\x01\x00\x10" + bytes(184))
            time.sleep(0.001)


@contextmanager
def server(scheme, serve):
    """The address of a server; each connection is served on a thread, and stays open."""
    clients = []

    def accept():
        with suppress(OSError):
            while True:
                clients.append(listening.accept()[0])
                threading.Thread(target=answer, args=(clients[-1],), daemon=True).start()

    def answer(client):
        with suppress(OSError):
            serve(client)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/live"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(fault.CAP)
    for client in clients:
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()
    await_openings()


def await_openings():
    """Wait for those whose servers, drivers and pipes have ended meanwhile."""
    for thread in threading.enumerate():
        if thread.name == "opening":
            thread.join(fault.CAP)
            assert not thread.is_alive()


@pytest.mark.parametrize("reconnect", [0, 60])
@pytest.mark.parametrize(
    ("scheme", "serve"),
    [
        ("http", silent),
        ("http", headers_of_http),
        ("rtsp", silent),
        ("rtsp", headers_of_rtsp),
        ("tcp", silent),
        ("tcp", pictures_without_an_end),
    ],
)
def test_a_server_that_sends_no_picture(scheme, serve, reconnect):
    with server(scheme, serve) as address, pytest.raises(SourceError, match="gave no picture"):
        open_source(address, timeout=TIMEOUT, reconnect=reconnect)


@pytest.mark.parametrize("writer", [False, True])
def test_a_named_pipe_into_which_nobody_writes(tmp_path, writer):
    address = tmp_path / "in.mp4"
    os.mkfifo(address)
    ends = []
    if writer:
        threading.Thread(target=lambda: ends.append(address.open("wb")), daemon=True).start()
    with pytest.raises(SourceError, match=r"in\.mp4 gave no picture within 0\.5 s.*--timeout"):
        open_source(str(address), timeout=TIMEOUT)
    with suppress(OSError):  # lets the thread go that waits for a writer
        os.close(os.open(address, os.O_WRONLY | os.O_NONBLOCK))
    for end in ends:
        end.close()
    await_openings()


class Renewed(Deadline):
    """Counts how often there was progress."""

    count = 0

    def renew(self):
        super().renew()
        self.count += 1


def test_a_pipe_that_is_stored_first_has_the_time_that_it_takes(tmp_path, monkeypatch):
    """Its pictures come before their index: each block that arrives renews the deadline."""
    monkeypatch.setattr(pipes, "BLOCK", 100)
    clip = make.remuxed(make.clip(tmp_path / "first.mp4"), tmp_path / "in.mp4")
    deadline = Renewed(fault.CAP)
    with (
        clip.open("rb") as file,
        subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat,
        open_pipe(f"/dev/fd/{cat.stdout.fileno()}", hwaccel="", shift=None, deadline=deadline) as
        source,
    ):  # fmt: skip
        assert sum(1 for _ in source) == 30
    assert deadline.count > clip.stat().st_size // 200


class Hanging:
    """In place of cv2.VideoCapture: its driver never returns from a call."""

    def __init__(self, where, over):
        self.hangs = threading.Event()
        self.hang(where, over)
        self._at("open")

    def hang(self, where, over):
        self._where, self._over = where, over

    def _at(self, where):
        if where == self._where:
            self.hangs.set()
            self._over.wait(fault.CAP)

    def isOpened(self):  # OpenCV's name
        return True

    def get(self, key):
        return 0

    def read(self):
        self._at("read")
        return True, make.picture(0)

    def release(self):
        self._over.released = True


@pytest.mark.parametrize("where", ["open", "read"])
def test_a_camera_whose_driver_hangs_is_released_when_it_returns(monkeypatch, where):
    over = threading.Event()
    monkeypatch.setattr(cameras, "opened_capture", lambda number: Hanging(where, over))
    with pytest.raises(SourceError, match=r"camera 3 gave no picture within 0\.1 s"):
        open_source(3, timeout=0.1)
    over.set()
    await_openings()
    assert over.released


def test_a_camera_that_hangs_later_does_not_hold_up_the_end(monkeypatch):
    over, capture = threading.Event(), Hanging("", threading.Event())
    monkeypatch.setattr(cameras, "opened_capture", lambda number: capture)
    with open_source(3) as source, Prefetch(source, size=1, drop_oldest=True, join=0.1) as frames:
        assert next(frames.items()).image is not None
        capture.hang("read", over)
        assert capture.hangs.wait(fault.CAP)
    assert frames.running and not hasattr(over, "released")
    over.set()
    until(lambda: not frames.running)
    assert over.released


def test_a_stream_that_comes_back_silent_has_a_deadline_too():
    """Under --reconnect it holds no longer than --timeout, then it is opened again."""
    tries = []

    def reopen():
        tries.append(1)
        if len(tries) == 1:
            over.wait(fault.CAP)
        raise SourceError("refused")

    over = threading.Event()
    first = open_source("fake://50fps?breaks=2")
    source = ReconnectingSource(first, reopen, patience=0.5, opening=0.2)
    frames = iter(source)
    assert [next(frames).index for _ in range(2)] == [0, 1]
    with pytest.raises(Exception, match="did not come back"):
        next(frames)
    over.set()
    assert len(tries) > 1


def test_the_command_ends_with_one_line(tmp_path):
    os.mkfifo(tmp_path / "in.mp4")
    flags = [tmp_path / "in.mp4", *LIGHT, "-o", tmp_path / "out.mp4", "--timeout", "0.2"]
    fault.check(fault.Fault("silent", lambda folder: flags, 3, "gave no picture"), tmp_path)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("source", ["fake://100fps", "clip"])
def test_a_reader_that_stalls_holds_up_neither_the_video_nor_the_exit(tmp_path, source):
    rows, clip = tmp_path / "rows.jsonl", tmp_path / "in.mp4"
    if source == "clip":
        source = make.moving_clip(clip, repeats=20)
    os.mkfifo(rows)
    reader = os.open(rows, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    app = make.start(source, *LIGHT, "-o", tmp_path / "out.mp4", "--jsonl", rows)
    lines = [app.stderr.readline()]
    while "does not keep up" not in lines[-1]:
        lines.append(app.stderr.readline())
        assert lines[-1], lines
    if not clip.exists():
        app.send_signal(signal.SIGTERM)
    _, rest = app.communicate(timeout=fault.CAP)
    os.close(reader)
    assert app.returncode == 5 and "Traceback" not in rest
    assert rest.count("does not keep up") == 0 and "rows.jsonl takes nothing any more" in rest
    written = fault.frames_of(tmp_path / "out.mp4")
    assert f" {written} written" in rest
    if clip.exists():
        assert written == fault.frames_of(clip)


def test_rows_before_a_named_pipe_that_nobody_reads(tmp_path):
    os.mkfifo(tmp_path / "rows.jsonl")
    flags = [make.clip(tmp_path / "in.mp4"), *LIGHT, "--jsonl", tmp_path / "rows.jsonl"]
    fault.check(fault.Fault("unread", lambda folder: flags, 5, "nobody reads"), tmp_path)
