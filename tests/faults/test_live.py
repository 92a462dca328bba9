"""Live sources and viewers that fail: streams that break off, cameras that hang, hostile pages."""

import json
import os
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import av
import fault
import make
import pytest
from fault import LIGHT
from waiting import DEADLINE, until

SECONDS = 4  # of the stream


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """A transport stream of SECONDS."""
    path = tmp_path_factory.mktemp("stream") / "in.ts"
    with av.open(str(path), "w") as container:
        out = container.add_stream("libx264", rate=25, options={"g": "5", "bf": "0"})
        out.width, out.height, out.pix_fmt = 320, 240, "yuv420p"
        for index in range(25 * SECONDS):
            frame = av.VideoFrame.from_ndarray(make.scene(), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(out.encode(frame))
        container.mux(out.encode(None))
    return path.read_bytes()


class Server:
    """Sends a stream at its own pace to every client; the first gets only a part of it.

    Args:
        share: fraction of the data that the first client gets.
        hang: True to keep silent then, instead of closing the connection.
    """

    def __init__(self, data, *, share, hang=False):
        self._data, self._share, self._hang = data, share, hang
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        self._clients = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        for one in (self._socket, *self._clients):
            one.close()
        self._thread.join(5)

    def _serve(self):
        step = len(self._data) // 200
        with suppress(OSError):
            while not self._over.is_set():
                client, _ = self._socket.accept()
                self._clients.append(client)
                self.connections += 1
                share = self._share if self.connections == 1 else 1
                with suppress(OSError):
                    for start in range(0, int(len(self._data) * share), step):
                        client.sendall(self._data[start : start + step])
                        self._over.wait(SECONDS / 200)
                if not self._hang:
                    client.close()


def live(address, folder, *flags):
    return make.start("--video", address, *LIGHT, "-o", folder / "out.mp4",
                      "--jsonl", folder / "rows.jsonl", *flags)  # fmt: skip


def count_rows(folder) -> int:
    rows = folder / "rows.jsonl"
    return len(rows.read_text().splitlines()) if rows.exists() else 0


def test_stream_that_breaks_off_keeps_its_frames(stream, tmp_path):
    with Server(stream, share=0.5) as server:
        app = live(server.address, tmp_path)
        _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode in (0, 4) and "Traceback" not in stderr, stderr
    kept = fault.frames_of(tmp_path / "out.mp4")
    assert kept and f"{kept} written" in stderr


@pytest.mark.parametrize("hang", [False, True])
def test_stream_server_killed_and_started_again(stream, tmp_path, hang):
    """One file, whose time goes on over the gap."""
    with Server(stream, share=0.4, hang=hang) as server:
        app = live(server.address, tmp_path, "--reconnect", "20")
        until(lambda: server.connections >= 2)
        before = count_rows(tmp_path)
        until(lambda: count_rows(tmp_path) > before + 10)
        app.send_signal(signal.SIGINT)
        _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 130 and "trying again" in stderr and "Traceback" not in stderr, stderr
    times = [json.loads(line)["time"] for line in (tmp_path / "rows.jsonl").read_text().split("\n")
             if line]  # fmt: skip
    assert times == sorted(times)
    with av.open(str(tmp_path / "out.mp4")) as video:
        shown = [frame.time for frame in video.decode(video=0)]
    assert shown == sorted(set(shown)) and len(shown) > 10


def test_camera_that_stalls_shrinks_and_dies(tmp_path):
    app = live("fake://25fps?drop=10%&stall=2.5s&resize=1&for=7s", tmp_path, "--reconnect", "2")
    _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 4 and "Traceback" not in stderr, stderr
    assert "no picture for" in stderr and "back after" in stderr and "did not come back" in stderr
    with av.open(str(tmp_path / "out.mp4")) as video:
        frames = [(frame.time, frame.width) for frame in video.decode(video=0)]
    times = [time for time, _ in frames]
    assert {width for _, width in frames} == {640}  # letterboxed, one file
    assert max(b - a for a, b in pairwise(times)) > 2.4
    assert len(times) > 20


def test_a_read_that_hangs_does_not_hold_up_the_end(stream, tmp_path):
    with Server(stream, share=0.5, hang=True) as server:
        app = live(server.address, tmp_path)
        until(lambda: count_rows(tmp_path))
        app.send_signal(signal.SIGTERM)
        _, stderr = app.communicate(timeout=fault.CAP)
        assert app.returncode in (143, 4), stderr


# ---- viewers of the page ----


@pytest.fixture(scope="module")
def serving():
    """An app with a page, and the page's host and port; it is asked to end afterwards."""
    command = [*make.APP, "--serve", "127.0.0.1:0", "--open", "--video", "fake://25fps", *LIGHT]
    app = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    address = next(line for line in app.stderr if line.startswith("page: "))
    yield app, ("127.0.0.1", int(address.rstrip("/\n").rpartition(":")[2]))
    assert app.poll() is None, "the app died"
    app.terminate()
    _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 143 and "Traceback" not in stderr, stderr


@pytest.fixture
def page(serving):
    return serving[1]


def answer(page, data: bytes) -> bytes:
    """The page's response to these bytes until it closes."""
    with socket.create_connection(page, timeout=DEADLINE) as client:
        try:
            client.sendall(data)
            found = b""
            while chunk := client.recv(65536):
                found += chunk
        except OSError:
            pass
        return found


def alive(page) -> bool:
    request = f"GET /state HTTP/1.1\r\nHost: localhost:{page[1]}\r\nConnection: close\r\n\r\n"
    return b"200 OK" in answer(page, request.encode())


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close",
             f"Content-Length: {len(body)}", *headers]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\xff" * 500, b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n", b"4"),
        (request("GET", "/" + "a" * 100_000), b"4"),
        (request("GET", "/", b"", "X: " + "a" * 200_000), b"400"),
        (request("GET", "/../../etc/passwd"), b"404"),
        (request("GET", "/%2e%2e/%2e%2e/etc/passwd"), b"404"),
        (request("GET", "/page.js%00.html"), b"404"),
        (request("DELETE", "/state"), b"405"),
        (request("POST", "/source", b"{", JSON), b"422"),
        (request("POST", "/source", b"[1]", JSON), b"422"),
        (request("POST", "/source", b"[" * 50_000, JSON), b"4"),
        (request("POST", "/source", b'{"source": {"a": 1}}', JSON), b"400"),
        (request("POST", "/source", b'{"source": "../../etc/passwd"}', JSON), b"400"),
        (request("POST", "/settings", b'{"threshold": 1e999}', JSON), b"400"),
        (request("POST", "/settings", b'{"threshold": NaN}', JSON), b"4"),
        (request("POST", "/settings", b'{"model": ["deep"]}', JSON), b"400"),
        (request("PUT", "/upload", b"once upon a time"), b"400"),
        (request("PUT", "/upload"), b"400"),
        (request("GET", "/camera", b"", "Upgrade: websocket"), b"4"),
    ],
)
def test_hostile_requests(page, data, status):
    found = answer(page, data)
    assert found.startswith(b"HTTP/1.1 " + status), found[:300]
    assert b"Traceback" not in found and b"root:" not in found
    assert alive(page)


def frames_done(page) -> int:
    state = answer(page, request("GET", "/state")).split(b"\r\n\r\n")[1]
    return json.loads(state)["frames"]


def test_slow_requests_hold_nobody_up(page):
    slow = [socket.create_connection(page) for _ in range(50)]
    for client in slow:
        client.sendall(b"GET /state HTTP/1.1\r\nHo")
    assert alive(page)
    for client in slow:
        client.close()


def test_viewers_that_leave_leave_nothing_behind(serving):
    app, page = serving

    def files() -> int:
        return len(os.listdir(f"/proc/{app.pid}/fd"))

    before = files()
    for _ in range(20):
        with socket.create_connection(page, timeout=DEADLINE) as client:
            client.sendall(request("GET", "/stream"))
            found = b""
            while b"image/jpeg" not in found:
                found += (chunk := client.recv(4096))
                assert chunk, found
    until(lambda: files() <= before + 2)
    assert alive(page)


def test_a_viewer_that_reads_nothing_holds_nobody_up(page):
    with socket.create_connection(page) as stuck:
        stuck.sendall(request("GET", "/stream"))
        before = frames_done(page)
        until(lambda: frames_done(page) > before + 30)
