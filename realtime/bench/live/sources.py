"""Frames and length of live sources in the video that the app writes.

Each source runs on this machine: live HLS, an HTTP camera of JPEGs, a transport stream that begins
with a burst, and GStreamer's RTSP server, a program of the system's Python. Frames that are lost on
the way are counted apart from those that the app drops because its analysis is behind.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2

from preprocessing.errors import UsageError
from realtime.bench.speed.clips import Clip, pictures
from realtime.bench.speed.measure import ROOT
from realtime.bench.speed.peers import FAST, app
from realtime.runtime.worker import Background

RATE = 25  # frames a second of all but the HTTP camera
CAMERA_RATE = 5  # of that
SEGMENT_SECONDS = 2
BURST = 50  # frames of a transport stream that come at once
PATIENCE = 120.0  # seconds for a source to be ready, and for the app to end after it
SYSTEM_PYTHON = "/usr/bin/python3"  # which has GStreamer's bindings
USER, PASSWORD = "viewer", "p@ss/word"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{good,ugly,bad} python3-gi"
CODER = {"preset": "ultrafast", "tune": "zerolatency", "g": str(RATE)}
# Prints its port, and then for each client the number of frames that it was sent.
RTSP_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer as Rtsp
transport, frames, rate, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
Gst.init(None)
server, factory = Rtsp.RTSPServer(), Rtsp.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service("0")
factory.set_launch(
    f"( videotestsrc is-live=true pattern=ball num-buffers={frames}"
    f" ! video/x-raw,width=640,height=480,framerate={rate}/1"
    " ! x264enc name=coder tune=zerolatency speed-preset=ultrafast key-int-max=25"
    " ! rtph264pay name=pay0 pt=96 )")
factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, transport))
if password:
    auth, token, rights = Rtsp.RTSPAuth(), Rtsp.RTSPToken(), Rtsp.RTSPPermissions()
    token.set_string(Rtsp.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    for right in (Rtsp.RTSP_PERM_MEDIA_FACTORY_ACCESS, Rtsp.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT):
        rights.add_permission_for_role("viewer", right, True)
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(*password, token)
    server.set_auth(auth)
    factory.set_permissions(rights)
def configure(factory, media):
    count = [0]
    def see(pad, info):
        count[0] += 1
        return Gst.PadProbeReturn.OK
    pad = media.get_element().get_by_name("coder").get_static_pad("src")
    pad.add_probe(Gst.PadProbeType.BUFFER, see)
    media.connect("unprepared", lambda media: print(count[0], flush=True))
factory.connect("media-configure", configure)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""


@dataclass
class Sending:
    """A source that is running.

    Attributes:
        url: of it, ready to be opened.
        rate: frames a second.
        frames: sent to the last client, once it has ended.
    """

    url: str
    rate: int
    frames: int = 0


@dataclass(frozen=True)
class Delivery:
    """The frames of a source, and those that are in the video.

    Attributes:
        sent, read, dropped, written: frames; written is counted in the file.
        seconds_sent, seconds: the length of the source and of the file.
        latency: of each frame in milliseconds, from its arrival to its labels, 95th percentile.
        status: of the app's process.
    """

    sent: int
    read: int
    dropped: int
    written: int
    seconds_sent: float
    seconds: float
    latency: float
    status: int

    def __str__(self) -> str:
        return (
            f"{self.sent:5d} {self.read:5d} {self.dropped:8d} {self.written:8d} "
            f"{self.written / max(self.sent, 1):7.1%} {self.seconds_sent:8.2f} "
            f"{self.seconds:8.2f} {self.seconds / self.seconds_sent - 1:+7.1%} "
            f"{self.latency:8.0f} {self.status:7d}"
        )


HEADER = (
    f"{'':24s} {'sent':>5s} {'read':>5s} {'dropped':>8s} {'written':>8s} {'':7s} {'s sent':>8s} "
    f"{'s file':>8s} {'':7s} {'ms, p95':>8s} {'status':>7s}"
)


def sleep_until(due: float) -> None:
    """Wait for a time of time.monotonic()."""
    time.sleep(max(0.0, due - time.monotonic()))


def coded(frames: int, container: "av.container.OutputContainer", *, paced: bool) -> Iterator[int]:
    """Write so many pictures into a container, and yield their count after each.

    Args:
        paced: True to write each at its time by the clock.
    """
    stream = container.add_stream("libx264", rate=RATE, options=CODER)
    stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
    start = time.monotonic()
    for number, image in enumerate(pictures(Clip(frames))):
        picture = av.VideoFrame.from_ndarray(image, format="bgr24")
        picture.pts, picture.time_base = number, Fraction(1, RATE)
        if paced:
            sleep_until(start + number / RATE)
        container.mux(stream.encode(picture))
        yield number + 1
    container.mux(stream.encode(None))


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of an HTTP server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        work = Background(server.serve_forever, name="http")
        work.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        work.stop()


class QuietFiles(SimpleHTTPRequestHandler):
    """A folder over HTTP."""

    def log_message(self, *values: object) -> None:
        """Print nothing."""


@contextmanager
def hls(folder: Path, seconds: float) -> Iterator[Sending]:
    """Live HLS: a list of five segments, the oldest of which are deleted."""
    (folder / "hls").mkdir()
    path, sending = folder / "hls" / "live.m3u8", Sending("", RATE)
    options = {"hls_time": str(SEGMENT_SECONDS), "hls_flags": "delete_segments"}

    def write() -> None:
        with av.open(str(path), "w", format="hls", options=options) as container:
            for count in coded(round(seconds * RATE), container, paced=True):
                sending.frames = count

    work = Background(write, name="hls")
    with serving(partial(QuietFiles, directory=str(path.parent))) as url:
        work.start()
        give_up = time.monotonic() + PATIENCE
        while not path.exists() and work.running and time.monotonic() < give_up:
            time.sleep(0.05)
        sending.url = f"{url}/{path.name}"
        yield sending
        work.stop()


@contextmanager
def jpegs(folder: Path, seconds: float) -> Iterator[Sending]:
    """An HTTP camera: JPEGs without times."""
    sending = Sending("", CAMERA_RATE)
    frames = round(seconds * CAMERA_RATE)
    data = [cv2.imencode(".jpg", image)[1].tobytes() for image in pictures(Clip(frames))]

    class Camera(QuietFiles):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            start = time.monotonic()
            for number, jpeg in enumerate(data):
                sleep_until(start + number / CAMERA_RATE)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                sending.frames = number + 1

    with serving(Camera) as url:
        sending.url = f"{url}/"
        yield sending


@contextmanager
def burst(folder: Path, seconds: float) -> Iterator[Sending]:
    """A transport stream over HTTP whose first BURST frames come at once, the rest at its pace."""
    sending = Sending("", RATE)
    frames = round(seconds * RATE)
    path = folder / "burst.ts"
    ends = [0]
    with path.open("wb") as file, av.open(file, "w", format="mpegts") as container:
        for _ in coded(frames, container, paced=False):
            ends.append(file.tell())
    data = path.read_bytes()
    ends[-1] = len(data)

    class Camera(QuietFiles):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            start = time.monotonic()
            for number in range(frames):
                sleep_until(start + max(0, number - BURST) / RATE)
                self.wfile.write(data[ends[number] : ends[number + 1]])
                sending.frames = number + 1

    with serving(Camera) as url:
        sending.url = f"{url}/live.ts"
        yield sending


@contextmanager
def rtsp(folder: Path, seconds: float, *, transport: str, password: bool) -> Iterator[Sending]:
    """GStreamer's RTSP server, which makes the pictures for each client."""
    secret = [USER, PASSWORD] if password else []
    command = [SYSTEM_PYTHON, "-c", RTSP_SERVER, transport, str(round(seconds * RATE)), str(RATE)]
    with subprocess.Popen(
        [*command, *secret], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        if not port:
            raise UsageError(f"no RTSP server: apt-get install {PACKAGES}")
        login = f"{USER}:{PASSWORD.replace('@', '%40').replace('/', '%2F')}@" if password else ""
        sending = Sending(f"rtsp://{login}127.0.0.1:{port}/live", RATE)
        try:
            yield sending
            sending.frames = int(server.stdout.readline() or 0)
        finally:
            server.terminate()


Start = Callable[[Path, float], AbstractContextManager[Sending]]
SOURCES: dict[str, Start] = {
    "HLS": hls,
    "MJPEG over HTTP": jpegs,
    "TS over HTTP, a burst": burst,
    "RTSP, TCP": partial(rtsp, transport="TCP", password=False),
    "RTSP, TCP, password": partial(rtsp, transport="TCP", password=True),
    "RTSP, UDP": partial(rtsp, transport="UDP", password=False),
    "RTSP, UDP, password": partial(rtsp, transport="UDP", password=True),
}


def delivered(folder: Path, start: Start, seconds: float) -> Delivery:
    """Run the app, with a light analysis, on a source until it ends."""
    folder.mkdir()
    out, stats = folder / "out.mp4", folder / "stats.json"
    with start(folder, seconds) as sending:
        command = app("--stats", str(stats), *FAST)(sending.url, out)
        status = subprocess.run(
            command, cwd=ROOT, stderr=subprocess.DEVNULL, timeout=2 * seconds + PATIENCE
        ).returncode
    report = json.loads(stats.read_text()) if stats.exists() else {}
    counts = report.get("frames", {})
    written, length = _contents(out)
    shutil.rmtree(folder)
    return Delivery(
        sent=sending.frames, read=counts.get("read", 0), dropped=counts.get("dropped", 0),
        written=written, seconds_sent=sending.frames / sending.rate, seconds=length,
        latency=report.get("latency_ms", {}).get("p95", 0.0), status=status,
    )  # fmt: skip


def _contents(path: Path) -> tuple[int, float]:
    """The frames of a video and its length in seconds; (0, 0.0) if there is none."""
    if not path.exists():
        return 0, 0.0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [float(packet.pts * packet.time_base) for packet in container.demux(stream)
                 if packet.size and packet.pts is not None and packet.time_base]  # fmt: skip
    if len(times) < 2:
        return len(times), 0.0
    return len(times), (max(times) - min(times)) * len(times) / (len(times) - 1)


def measure_live(folder: Path, seconds: float) -> Iterator[str]:
    """A header and a line a source, each as soon as it is there."""
    yield HEADER
    for number, (name, start) in enumerate(SOURCES.items()):
        yield f"{name:24s} {delivered(folder / str(number), start, seconds)}"
