"""Routes of the page: state, controls, uploads, the browser's camera, refusals."""

import json

import cv2
import make
import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from waiting import until

from realtime.page.guard import Guard, Role
from realtime.page.server import make_app
from realtime.page.session import Session
from realtime.settings import Recognition, Settings


@pytest.fixture
def session():
    settings = Settings(recognition=Recognition(model="deep", locator="segment"))
    made = Session(settings, address=None)
    yield made
    made.close()


@pytest.fixture
def page(session):
    app = make_app(session, Guard({}, local=True))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_demo_is_shown_with_names_and_figures(page):
    report = page.post("/source", json={"source": "demo"}).json()
    assert report["running"] and report["source"] == "demo.mp4"
    report = until(
        lambda: page.get("/state").json() if page.get("/state").json()["counts"] else None
    )
    garment = report["garments"][0]
    assert garment["label"] in report["counts"] and garment["shade"].startswith("#")
    assert report["timeline"][0]["to"] >= report["timeline"][0]["from"]
    assert page.post("/stop").json()["running"] is False
    picture = page.get("/snapshot")
    image = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (480, 640, 3) and "attachment" in picture.headers["content-disposition"]


def test_a_run_is_paused_and_resumed(page):
    page.post("/source", json={"source": "demo"})
    until(lambda: page.get("/state").json()["frames"] > 3)
    assert page.post("/pause", json={"paused": True}).json()["paused"]
    paused = page.post("/pause", json={"paused": False}).json()
    assert not paused["paused"] and paused["running"]
    until(lambda: page.get("/state").json()["frames"] > paused["frames"] + 3)


def test_model_and_threshold_change_while_it_runs(page, session):
    page.post("/source", json={"source": "demo"})
    report = page.post("/settings", json={"model": "baseline", "threshold": 0.9}).json()
    assert (report["model"], report["threshold"], report["running"]) == ("baseline", 0.9, True)
    frames = report["frames"]
    until(lambda: page.get("/state").json()["frames"] > frames)
    assert session._shown.analysis.title == "baseline/segment"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/source", {"source": "/etc/passwd"}),
        ("POST", "/source", {"source": "file:///etc/passwd"}),
        ("POST", "/source", {}),
        ("POST", "/source", {"source": "https://\ud800/"}),
        ("POST", "/source", {"source": "rtsp://[::1"}),
        ("POST", "/settings", {"model": "../weights/deep"}),
        ("POST", "/settings", {"locate": "nowhere"}),
        ("POST", "/settings", {"threshold": "much"}),
        ("POST", "/settings", {"threshold": 7}),
        ("PUT", "/upload", {"this": "is no video"}),
        ("POST", "/pick", {"track": 1}),
        ("POST", "/pick", {"x": 10**400, "y": 0}),
        ("POST", "/teach", {"pick": 1, "name": "jumper"}),
        ("GET", "/wardrobe", {}),
    ],
)
def test_what_is_not_offered_is_refused(page, method, path, body):
    headers = {"content-type": "application/json"}
    answer = page.request(method, path, content=json.dumps(body), headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]
    assert page.get("/state").json()["frames"] == 0


def test_a_clicked_garment_is_known_by_its_name_at_once(tmp_path):
    file = tmp_path / "wardrobe.npz"
    settings = Settings(recognition=Recognition(model="photo", locator="segment", wardrobe=file))
    video = make.moving_clip(tmp_path / "in.mp4", repeats=20)
    taught = Session(settings, address=None)
    app = make_app(taught, Guard({}, local=True))
    with TestClient(app, base_url="http://localhost") as page:
        page.put("/upload", content=video.read_bytes())
        until(lambda: page.get("/state").json()["garments"])
        picked = page.post("/pick", json={"x": 0.5, "y": 0.5}).json()
        assert "dress" in picked["names"] and "other" not in picked["names"]
        wanted = {"pick": picked["pick"], "name": "night shirt"}
        assert page.post("/teach", json=wanted).status_code == 200
        until(lambda: "night shirt" in page.get("/state").json()["counts"])
        assert file.read_bytes() == page.get("/wardrobe").content
        page.post("/settings", json={"threshold": 0.6})
        assert taught.wardrobe.counts == {"night shirt": 1}
        assert page.post("/teach", json=wanted).status_code == 400  # the pick has its name
    taught.close()


def test_there_is_nothing_beside_the_page(page):
    assert page.get("/").status_code == 200
    for path in ("/../server.py", "/%2e%2e/server.py", "/docs", "/openapi.json"):
        assert page.get(path).status_code == 404
    headers = page.get("/page.js").headers
    assert "default-src 'self'" in headers["content-security-policy"]


def test_uploads_are_shown(page, tmp_path):
    video = make.moving_clip(tmp_path / "in.mp4")
    report = page.put("/upload", content=video.read_bytes()).json()
    assert report["running"]
    until(lambda: page.get("/state").json()["frames"] == 40)


def test_too_large_uploads_are_refused(page, monkeypatch):
    monkeypatch.setattr("realtime.page.uploads.MAX_BYTES", 10)
    assert "0 MB" in page.put("/upload", content=b"x" * 11).json()["error"]


def test_the_browsers_camera_is_a_source(page):
    jpeg = cv2.imencode(".jpg", make.scene())[1].tobytes()
    with page.websocket_connect("/camera", headers={"host": "localhost"}) as camera:
        for _ in range(12):
            camera.send_bytes(jpeg)
            assert camera.receive_text() == "next"
        report = page.get("/state").json()
        assert report["source"] == "browser" and report["running"]
    until(lambda: not page.get("/state").json()["running"])


def test_a_camera_that_sends_no_pictures_is_cut_off(page):
    with page.websocket_connect("/camera", headers={"host": "localhost"}) as camera:
        camera.send_bytes(b"no picture")
        with pytest.raises(WebSocketDisconnect) as ended:
            camera.receive_text()
    assert "JPEG" in ended.value.reason


def test_a_token_opens_the_page_once_and_stays_as_a_cookie(session):
    app = make_app(session, Guard({Role.ADMIN: "secret"}, local=False))
    with TestClient(app, base_url="http://192.168.1.5:8000") as client:
        assert client.get("/state").status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/camera"):
            pass
        opened = client.get("/?token=secret", follow_redirects=False)
        cookie = opened.headers["set-cookie"]
        assert opened.headers["location"] == "/" and "HttpOnly" in cookie
        assert cookie.startswith("garments-80") and "secret" not in cookie
        assert client.get("/state").status_code == 200
        client.cookies.clear()
        assert client.get("/?token=wrong").status_code == 403
        assert client.get("/?token=secret").status_code == 429  # for half a second
        assert client.get("/healthz").text == "ok"


@pytest.mark.parametrize("path", ["//evil.example", "/%5Cevil.example", "///evil.example/a"])
def test_a_token_sends_nobody_to_another_site(session, path):
    app = make_app(session, Guard({Role.ADMIN: "secret"}, local=True))
    with TestClient(app, base_url="http://localhost") as client:
        client.base_url = "http://localhost"
        answer = client.get(f"http://localhost{path}?token=secret", follow_redirects=False)
        assert (
            answer.headers["location"].startswith("/")
            and answer.headers["location"][1] not in "/\\"
        )


def test_viewers_see_and_change_nothing(session):
    app = make_app(session, Guard({Role.ADMIN: "secret", Role.VIEWER: "look"}, local=True))
    with TestClient(app, base_url="http://localhost") as client:
        viewer = {"authorization": "Bearer look"}
        assert client.get("/choices", headers=viewer).json()["role"] == "viewer"
        assert b"garments_fps" in client.get("/metrics", headers=viewer).content
        for path in ("/pause", "/stop", "/source", "/settings", "/pick", "/teach"):
            answer = client.post(path, json={}, headers=viewer)
            assert answer.status_code == 403 and "admin" in answer.json()["error"]
        assert client.put("/upload", content=b"x", headers=viewer).status_code == 403
        camera = client.websocket_connect("/camera", headers=viewer | {"host": "localhost"})
        with pytest.raises(WebSocketDisconnect), camera:
            pass
        admin = {"authorization": "Bearer secret"}
        assert client.post("/pause", json={}, headers=admin).status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{" + b" " * 70_000 + b"}", 413), (b"[]", 422), (b"no json", 422), (b"\xff\xfe", 422),
        (b"[NaN]", 422), (b"1e999", 422), (b'"\\ud800"', 422), (b"[" * 20_000, 422),
    ],
)  # fmt: skip
def test_odd_bodies_are_refused(page, content, status):
    headers = {"content-type": "application/json"}
    assert page.post("/source", content=content, headers=headers).status_code in (status, 400)
