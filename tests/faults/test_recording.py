"""A recording beside which viewers do what they like: every frame of it is in its file."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import make
import pytest
from fastapi.testclient import TestClient
from waiting import until

from preprocessing.errors import UsageError
from realtime.page.guard import Guard
from realtime.page.server import make_app
from realtime.page.session import Session
from realtime.settings import Recognition, Settings
from realtime.sinks.sink_table import OutputSettings
from realtime.sources.open_source import open_source

FRAMES = 100


@pytest.fixture
def recording(tmp_path):
    """A session that records a file of FRAMES frames, and the file that it writes."""
    video, out = (
        make.moving_clip(tmp_path / "in.mp4", repeats=FRAMES // 40 + 1),
        tmp_path / "out.mp4",
    )
    recognition = Recognition(model="deep", locator="segment")
    settings = Settings(recognition=recognition, outputs=OutputSettings(paths={"out": out}))
    session = Session(settings, address=str(video))
    session.start(open_source(str(video)))
    yield session, out
    session.close()


def written(path):
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


def test_a_recording_goes_on_while_another_source_is_shown(recording, tmp_path):
    session, out = recording
    until(lambda: session.report()["frames"] > 3)
    with pytest.raises(UsageError, match="Ctrl-C"):
        session.stop()
    with pytest.raises(UsageError, match="recorded"):
        session.change(label_threshold=0.9)
    session.pause(True)
    assert session.report()["paused"] and session.recording.running
    short = make.moving_clip(tmp_path / "short.mp4")
    session.show(lambda: open_source(str(short)))
    assert session.report()["source"] == "short.mp4" and not session.report()["records"]
    session.change(label_threshold=0.9)
    until(lambda: session.report()["records"])  # the short one has come to its end
    until(lambda: not session.recording.running)
    assert session.problem == "" and written(out) == session.report()["recording"]["written"]
    assert written(out) == written(tmp_path / "in.mp4")


class Crowd:
    """Viewers who press what they find, drawn from a seed."""

    def __init__(self, client, upload, seed):
        self._client, self._upload, self._rng = client, upload, random.Random(seed)

    def press(self):
        rng, client = self._rng, self._client
        choice = rng.randrange(8)
        if choice == 0:
            return client.put("/upload", content=self._upload)
        if choice == 1:
            return self.show_camera()
        path, body = rng.choice([
            ("/pause", {"paused": rng.random() < 0.5}), ("/stop", {}),
            ("/source", {"source": rng.choice(["demo", "recording", "nothing"])}),
            ("/settings", {"threshold": rng.random(), "model": "baseline"}),
            ("/pick", {"x": 0.5, "y": 0.5}), ("/teach", {"pick": 1, "name": "a"}),
        ])  # fmt: skip
        return client.post(path, json=body)

    def show_camera(self):
        jpeg = cv2.imencode(".jpg", make.scene())[1].tobytes()
        with self._client.websocket_connect("/camera", headers={"host": "localhost"}) as camera:
            for _ in range(self._rng.randrange(4)):
                camera.send_bytes(jpeg)
                if camera.receive()["type"] == "websocket.close":
                    return self._client.get("/state")
        return self._client.get("/state")


def test_whatever_many_viewers_press_the_recording_is_whole(recording, tmp_path):
    session, out = recording
    upload = make.moving_clip(tmp_path / "up.mp4").read_bytes()
    with TestClient(
        make_app(session, Guard({}, local=True)), base_url="http://localhost"
    ) as client:
        crowds = [Crowd(client, upload, seed) for seed in range(4)]

        def presses(crowd):
            return [crowd.press().status_code for _ in range(8)]

        with ThreadPoolExecutor(len(crowds)) as pool:
            statuses = [status for some in pool.map(presses, crowds) for status in some]
        assert set(statuses) <= {200, 400, 429} and statuses.count(200) > len(statuses) / 3
        until(lambda: not session.recording.running)
        assert session.problem == "" and written(out) == written(tmp_path / "in.mp4")
        client.post("/stop")
        pipelines = [t for t in threading.enumerate() if t.name == "pipeline"]
        assert len(pipelines) <= 1
