"""The live page: access, state, controls, and how a browser shows it."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time

import av
import cv2
import httpx2
import make
import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from preprocessing.errors import UsageError
from realtime.page.browser_camera import BrowserCamera
from realtime.page.guard import Guard, is_local
from realtime.page.hub import Hub
from realtime.page.serve import read_address
from realtime.page.server import make_app
from realtime.page.session import Session
from realtime.settings import DEMO, Recognition, Settings

DEADLINE = 60  # seconds that the page gets for anything


def until(condition):
    """Wait for a condition's value, but not for ever."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


# ---- access ----


@pytest.mark.parametrize(
    ("headers", "shown", "refused"),
    [
        ({"host": "127.0.0.1:8000"}, "secret", ""),
        ({"host": "localhost:8000"}, "secret", ""),
        ({"host": "[::1]:8000"}, "secret", ""),
        ({"host": "192.168.1.5:8000"}, "secret", ""),
        ({"host": "192.168.1.5", "origin": "http://192.168.1.5"}, "secret", ""),
        ({"host": "192.168.1.5"}, "", "token"),
        ({"host": "192.168.1.5"}, "secreT", "token"),
        ({"host": "garments.attacker.example"}, "secret", "unknown host"),
        ({}, "secret", "unknown host"),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, "secret", "another site"),
        ({"host": "localhost", "origin": "null"}, "secret", "another site"),
    ],
)
def test_off_this_machine_a_token_is_needed(headers, shown, refused):
    found = Guard("secret", local=False).refusal(headers, shown)
    assert refused in found and bool(found) == bool(refused)


@pytest.mark.parametrize(
    ("host", "refused"),
    [("127.0.0.1:80", False), ("localhost", False), ("192.168.1.5", True), ("evil.example", True)],
)
def test_on_this_machine_only_its_own_names_do(host, refused):
    assert bool(Guard("", local=True).refusal({"host": host}, "")) == refused


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


@pytest.mark.parametrize("text", ["host:port", "a:99999", "a:-1"])
def test_wrong_addresses(text):
    with pytest.raises(UsageError, match="HOST:PORT"):
        read_address(text)


def test_local_addresses():
    assert is_local("127.0.0.1") and is_local("localhost") and is_local("::1")
    assert not is_local("0.0.0.0") and not is_local("192.168.0.2")


# ---- state and controls ----


@pytest.fixture
def session():
    settings = Settings(recognition=Recognition(model="deep", locator="segment"))
    made = Session(settings, address=None, hub=Hub())
    yield made
    made.stop()


@pytest.fixture
def page(session):
    app = make_app(session, Guard("", local=True))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_demo_is_shown_with_names_and_figures(page):
    told = page.post("/source", json={"source": "demo"}).json()
    assert told["running"] and told["source"] == "demo.mp4"
    told = until(lambda: page.get("/state").json() if page.get("/state").json()["counts"] else None)
    garment = told["garments"][0]
    assert garment["label"] in told["counts"] and garment["shade"].startswith("#")
    assert told["timeline"][0]["to"] >= told["timeline"][0]["from"]
    assert page.post("/stop").json()["running"] is False
    picture = page.get("/snapshot")
    image = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (480, 640, 3) and "attachment" in picture.headers["content-disposition"]


def test_files_keep_their_pace_and_can_be_paused(page):
    page.post("/source", json={"source": "demo"})
    until(lambda: page.get("/state").json()["frames"] > 3)
    assert page.post("/pause", json={"paused": True}).json()["paused"]
    until(lambda: (a := page.get("/state").json()["frames"]) == (time.sleep(0.3),
          page.get("/state").json()["frames"])[1] and a)  # fmt: skip
    stood = page.get("/state").json()["frames"]
    page.post("/pause", json={"paused": False})
    start, frames = time.monotonic(), until(lambda: (
        f if (f := page.get("/state").json()["frames"]) > stood + 25 else None))  # fmt: skip
    assert (frames - stood) / 25 < time.monotonic() - start + 1.5  # never ahead of the clock


def test_model_and_threshold_change_while_it_runs(page, session):
    page.post("/source", json={"source": "demo"})
    told = page.post("/settings", json={"model": "baseline", "threshold": 0.9}).json()
    assert (told["model"], told["threshold"], told["running"]) == ("baseline", 0.9, True)
    frames = told["frames"]
    until(lambda: page.get("/state").json()["frames"] > frames)
    assert session._analysis.title == "baseline/segment"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/source", {"source": "/etc/passwd"}),
        ("POST", "/source", {"source": "file:///etc/passwd"}),
        ("POST", "/source", {}),
        ("POST", "/settings", {"model": "../weights/deep"}),
        ("POST", "/settings", {"locate": "nowhere"}),
        ("POST", "/settings", {"threshold": "much"}),
        ("POST", "/settings", {"threshold": 7}),
        ("PUT", "/upload", {"this": "is no video"}),
    ],
)
def test_what_is_not_offered_is_refused(page, method, path, body):
    answer = page.request(method, path, json=body)
    assert answer.status_code == 400 and answer.json()["error"]
    assert page.get("/state").json()["frames"] == 0


def test_there_is_nothing_beside_the_page(page):
    assert page.get("/").status_code == 200
    for path in ("/../server.py", "/%2e%2e/server.py", "/docs", "/openapi.json"):
        assert page.get(path).status_code == 404
    headers = page.get("/page.js").headers
    assert "default-src 'self'" in headers["content-security-policy"]


def test_uploads_are_shown(page, tmp_path):
    video = make.moving_clip(tmp_path / "in.mp4")
    told = page.put("/upload", content=video.read_bytes()).json()
    assert told["running"]
    until(lambda: page.get("/state").json()["frames"] == 40)


def test_too_large_uploads_are_refused(page, monkeypatch):
    monkeypatch.setattr("realtime.page.server.MAX_UPLOAD", 10)
    assert "0 MB" in page.put("/upload", content=b"x" * 11).json()["error"]


def test_the_browsers_camera_is_a_source(page):
    jpeg = cv2.imencode(".jpg", make.scene())[1].tobytes()
    with page.websocket_connect("/camera", headers={"host": "localhost"}) as camera:
        for _ in range(12):
            camera.send_bytes(jpeg)
            assert camera.receive_text() == "next"
            time.sleep(0.05)
        told = page.get("/state").json()
        assert told["source"] == "browser" and told["running"]
    until(lambda: not page.get("/state").json()["running"])


def test_a_camera_that_sends_no_pictures_is_cut_off(page):
    with page.websocket_connect("/camera", headers={"host": "localhost"}) as camera:
        camera.send_bytes(b"no picture")
        with pytest.raises(WebSocketDisconnect) as ended:
            camera.receive_text()
    assert "JPEG" in ended.value.reason


def test_a_token_opens_the_page_once_and_stays_as_a_cookie(session):
    app = make_app(session, Guard("secret", local=False))
    with TestClient(app, base_url="http://192.168.1.5") as client:
        assert client.get("/state").status_code == 403
        assert client.get("/?token=wrong").status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/camera"):
            pass
        opened = client.get("/?token=secret", follow_redirects=False)
        assert opened.headers["location"] == "/" and "HttpOnly" in opened.headers["set-cookie"]
        assert client.get("/state").status_code == 200


def test_a_slow_viewer_loses_pictures_and_holds_nobody_up():
    import asyncio

    async def watch():
        hub = Hub()
        hub.attach()
        slow = hub.pictures()
        hub.show(np.zeros((8, 8, 3), np.uint8))
        await anext(slow)
        for level in range(1, 60):
            hub.show(np.full((8, 8, 3), level, np.uint8))
        await asyncio.sleep(0)
        newest = cv2.imdecode(np.frombuffer(await anext(slow), np.uint8), cv2.IMREAD_GRAYSCALE)
        hub.close()
        assert [one async for one in slow] == []
        return int(newest[0, 0])

    assert asyncio.run(watch()) == 59


def test_pictures_that_are_none_are_counted():
    camera = BrowserCamera(8, 8)
    frames = iter(camera)
    camera.feed(b"broken")
    camera.close()
    assert list(frames) == [] and camera.failed == 1


# ---- whole processes ----


@pytest.fixture
def served(tmp_path):
    """Starts the app with flags and gives the address that it prints."""
    running = []

    def start(*flags, **environment):
        app = subprocess.Popen(
            [sys.executable, make.ROOT / "run_realtime.py", *map(str, flags)],
            stderr=subprocess.PIPE, text=True, env=os.environ | environment,
        )  # fmt: skip
        running.append(app)
        for line in app.stderr:
            if line.startswith("page: "):
                return app, line.removeprefix("page: ").strip()
        raise AssertionError(f"no page, exit status {app.wait()}")

    yield start
    for app in running:
        app.kill()
        app.wait()
        app.stderr.close()


def test_ctrl_c_finishes_the_file(served, tmp_path):
    out = tmp_path / "out.mp4"
    app, address = served("--demo", "--serve", "127.0.0.1:0", "-o", out)
    with httpx2.Client(base_url=address) as client:
        until(lambda: client.get("/state").json()["frames"] > 10)
    app.terminate()
    assert app.wait(20) == 143
    with av.open(str(out)) as video:
        assert len(list(video.decode(video=0))) > 10


def test_without_a_display_the_page_takes_the_windows_place(served, tmp_path):
    video = make.moving_clip(tmp_path / "in.mp4")
    taken = read_address("127.0.0.1:8000")
    with socket.socket() as probe:
        if probe.connect_ex(taken) == 0:
            pytest.skip("port 8000 of this machine is taken")
    app, address = served("--video", video, "--model", "deep", DISPLAY="", WAYLAND_DISPLAY="")
    assert address == "http://127.0.0.1:8000/"
    app.terminate()
    assert app.wait(20) == 143


def test_a_taken_port_is_told(served):
    _, address = served("--demo", "--serve", "127.0.0.1:0")
    port = address.rstrip("/").rpartition(":")[2]
    done = make.app("--demo", "--serve", f"127.0.0.1:{port}")
    assert done.returncode == 5 and "choose another --serve" in done.stderr


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
    _app, address = served("--model", "deep", "--locate", "segment", "--serve", "127.0.0.1:0",
                          "--demo")  # fmt: skip
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
