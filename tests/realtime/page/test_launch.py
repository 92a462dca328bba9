"""`--serve` in whole processes: address, signals, outputs, and a browser."""

import itertools
import os
import shutil
import socket
import ssl
from functools import partial

import av
import httpx2
import make
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from fault import LIGHT
from waiting import DEADLINE, until

from preprocessing.errors import UsageError
from realtime import cli
from realtime.batch.several import Outcome
from realtime.page.launch import read_address
from realtime.sources import DEMO


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":9000", ("127.0.0.1", 9000)),
        ("0.0.0.0", ("0.0.0.0", 8000)),
        ("[::1]:81", ("::1", 81)),
        ("[::1]", ("::1", 8000)),
    ],
)
def test_addresses(text, wanted):
    assert read_address(text) == wanted


@pytest.mark.parametrize("text", ["host:port", "a:99999", "a:-1", __file__])
def test_wrong_addresses(text):
    with pytest.raises(UsageError, match="HOST:PORT"):
        read_address(text)


@pytest.fixture
def served(tmp_path):
    """Starts the app with flags and gives the address that it prints."""

    def start(*flags, **environment):
        app = make.start(*flags, env=os.environ | environment)
        for line in app.stderr:
            if line.startswith("page: "):
                return app, line.removeprefix("page: ").strip()
        raise AssertionError(f"no page, exit status {app.wait()}")

    return start


def test_ctrl_c_finishes_the_file(served, tmp_path):
    out = tmp_path / "out.mp4"
    app, address = served("--demo", "--serve", "127.0.0.1:0", "--open", "-o", out, *LIGHT)
    with httpx2.Client(base_url=address) as client:
        until(lambda: client.get("/state").json()["frames"] > 10)
    app.terminate()
    assert app.wait(DEADLINE) == 143
    with av.open(str(out)) as video:
        assert len(list(video.decode(video=0))) > 10


def test_without_a_display_the_page_takes_the_windows_place(monkeypatch, caplog):
    served = []

    def serve(address, settings):
        served.append((address, settings.serve))
        return Outcome(source="", status=0)

    monkeypatch.setattr("realtime.sinks.window.has_display", lambda: False)
    monkeypatch.setattr(cli, "_serve", serve)
    assert cli.main(["clip.mp4", "--model", "deep"]) == 0
    assert served == [("clip.mp4", "127.0.0.1:8000")]
    assert "no display for a window" in caplog.text


def test_a_taken_port_is_an_error(served):
    _, address = served("--demo", "--serve", "127.0.0.1:0", "--open", *LIGHT)
    port = address.rstrip("/").rpartition(":")[2]
    done = make.called("--demo", "--serve", f"127.0.0.1:{port}", *LIGHT)
    assert done.returncode == 5 and "choose another --serve" in done.stderr


def answer(port, data):
    """All that comes back for bytes, until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as line:
        line.sendall(data)
        return b"".join(iter(partial(line.recv, 4096), b""))


def test_who_breaks_the_protocols_is_refused_and_logs_nothing(served, tmp_path):
    log, clip = tmp_path / "app.log", make.moving_clip(tmp_path / "in.mp4")
    _, address = served(clip, "--serve", "127.0.0.1:0", "--open", "--log", log, *LIGHT)
    port = int(address.rstrip("/").rpartition(":")[2])
    host = f"Host: 127.0.0.1:{port}\r\n".encode()
    upgrade = (b"GET /camera HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + host +
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xc3\xa9\r\n\r\n")  # fmt: skip
    assert answer(port, upgrade).startswith(b"HTTP/1.1 400")
    junk = (
        b"POST /pause HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nno size"
    )
    assert answer(port, junk + b"\r\n").startswith(b"HTTP/1.1 400")
    with socket.create_connection(
        ("127.0.0.1", port), DEADLINE
    ) as line:  # an upload that breaks off
        line.sendall(b"PUT /upload HTTP/1.1\r\n" + host + b"Content-Length: 9\r\n\r\nhalf")
    until(lambda: httpx2.put(f"{address}upload", content=b"next").status_code == 400)
    assert "Traceback" not in log.read_text() and "Invalid HTTP" not in log.read_text()


@pytest.fixture
def certificate(tmp_path):
    """The files of an authority, of a certificate for 127.0.0.1, and of its key."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    paths = [tmp_path / f"{name}.pem" for name in ("authority", "certificate", "key")]
    for path, pem in zip(paths, (authority.cert_pem, made.cert_chain_pems[0],
                                 made.private_key_pem), strict=True):  # fmt: skip
        pem.write_to_path(str(path))
    return paths


def test_https(served, certificate):
    authority, path, key = certificate
    flags = ("--tls-cert", path, "--tls-key", key, *LIGHT)
    _, address = served("--demo", "--serve", "127.0.0.1:0", *flags, GARMENTS_TOKEN="secret")
    assert address.startswith("https://127.0.0.1:") and address.endswith("/?token=secret")
    trusted = ssl.create_default_context(cafile=authority)
    with httpx2.Client(verify=trusted) as client:
        opened = client.get(address)
        cookie = opened.headers["set-cookie"]
        assert opened.status_code == 303 and {"Secure", "HttpOnly"} <= set(cookie.split("; "))
        assert client.get(address.partition("?")[0] + "state").status_code == 200
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(address.replace("https", "http"))


def test_certificates_that_cannot_be_served_with(tmp_path, certificate):
    _, path, key = certificate
    junk, other, locked = (tmp_path / f"{name}.pem" for name in ("junk", "other", "locked"))
    junk.write_text("no certificate")
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(str(other))
    secret = load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(secret.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))  # fmt: skip
    for flags in (
        (tmp_path / "none.pem",), (junk,), (path,), (tmp_path,), (path, "--tls-key", other),
        (path, "--tls-key", tmp_path / "none.pem"), (path, "--tls-key", locked),
    ):  # fmt: skip
        done = make.called("--demo", "--serve", "127.0.0.1:0", "--tls-cert", *flags, *LIGHT)
        errors = [line for line in done.stderr.splitlines() if "error: " in line]
        assert done.returncode == 5 and len(errors) == 1, done.stderr
        assert f"--tls-cert {flags[0]}" in errors[0] and "PEM" in errors[0]
    done = make.called("--demo", "--serve", "127.0.0.1:0", "--tls-key", key)
    assert done.returncode == 2 and "--tls-cert" in done.stderr


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: apt-get install chromium")
def test_a_browser_shows_its_own_camera_with_the_right_label(served, tmp_path):
    """Chromium's fake camera plays the demo's garments; the page names them, as it should."""
    camera = tmp_path / "camera.mjpeg"
    with av.open(str(DEMO)) as clip, av.open(str(camera), "w", format="mjpeg") as target:
        stream = target.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for picture in itertools.islice(clip.decode(video=0), 60):
            target.mux(stream.encode(picture.reformat(format="yuvj420p")))
    _, address = served("--demo", "--serve", "127.0.0.1:0", "--open", *LIGHT)
    with browser(camera) as chrome:
        tab = chrome.new_page()
        problems = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.goto(address, wait_until="domcontentloaded")
        until(lambda: tab.evaluate("document.getElementById('picture').naturalWidth"))
        tab.click("#camera")
        until(lambda: tab.inner_text("#status") == "browser (live)")
        until(lambda: "Trouser" in tab.inner_text("#garments"))
        tab.keyboard.press("Escape")
        tab.locator("h1").click()
        tab.keyboard.press("Space")
        until(lambda: tab.inner_text("#status") == "browser (paused)")
        tab.click("#pause")
        tab.select_option("#model", "baseline")
        until(lambda: tab.inner_text("#status") == "browser (live)")
        until(lambda: tab.evaluate("fetch('state').then(a => a.json())")["model"] == "baseline")
        tab.set_input_files("#file", str(make.moving_clip(tmp_path / "in.mp4", repeats=5)))
        until(lambda: "tmp" in tab.inner_text("#status"))
        assert not problems and not tab.is_visible("#error")
        wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        tab.set_viewport_size({"width": 390, "height": 844})
        narrow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0 and narrow <= 0  # nothing sticks out sideways


class browser:
    """A headless Chromium whose camera plays a file."""

    def __init__(self, camera):
        self._flags = [
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}", "--no-sandbox",
        ]  # fmt: skip

    def __enter__(self):
        from playwright.sync_api import sync_playwright

        self._play = sync_playwright().start()
        self._chrome = self._play.chromium.launch(executable_path=CHROMIUM, args=self._flags)
        return self._chrome

    def __exit__(self, *exc_info):
        self._chrome.close()
        self._play.stop()
