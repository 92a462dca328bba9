"""Videos: every frame with its time, upright; truncated and network files, segments, decoders."""

import io
import itertools
import re
import socket
import threading
from contextlib import contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import av
import cv2
import make
import pytest

from preprocessing.errors import BrokenSourceError, DeviceError, SourceError
from realtime.sources import containers, files_and_streams, live_packets
from realtime.sources.open_source import open_source

TICKS = [0, 33, 66, 100, 300, 500, 533, 900]  # milliseconds: a variable rate


def read(path):
    with open_source(str(path)) as source:
        return source, list(source)


def test_every_frame_in_order_with_its_time(tmp_path):
    source, frames = read(make.clip(tmp_path / "a.mp4", frames=30))
    assert [make.index_of(f.image) for f in frames] == [i % 24 for i in range(30)]
    assert [f.index for f in frames] == list(range(30))
    assert [f.pts * f.time_base for f in frames] == [Fraction(i, 30) for i in range(30)]
    assert (source.info.width, source.info.height, source.info.frames) == (64, 48, 30)
    assert source.info.rate == 30 and not source.info.live and source.failed == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_variable_rate_keeps_its_ticks(tmp_path, suffix):
    path = make.clip(tmp_path / f"a{suffix}", pts=TICKS, time_base=Fraction(1, 1000))
    _, frames = read(path)
    assert [f.pts * f.time_base for f in frames] == [Fraction(t, 1000) for t in TICKS]


@pytest.mark.parametrize(
    ("degrees", "corner", "size"),
    [
        (90, (slice(0, 8), slice(-8, None)), (48, 64)),
        (180, (slice(-8, None), slice(-8, None)), (64, 48)),
        (270, (slice(-8, None), slice(0, 8)), (48, 64)),
    ],
)
def test_rotation_is_applied_once(tmp_path, degrees, corner, size):
    source, frames = read(make.turn(make.clip(tmp_path / "a.mp4"), degrees))
    assert (source.info.width, source.info.height) == size
    assert frames[0].image.shape[1::-1] == size
    assert frames[0].image[corner].mean() > 240
    assert make.index_of(frames[7].image) == 7


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        (".avi", "mpeg4", "yuv420p"),
        (".webm", "libvpx-vp9", "yuv420p"),
        (".gif", "gif", "rgb8"),
        (".mkv", "libx264", "yuv444p"),
    ],
)
def test_other_containers(tmp_path, suffix, codec, pix_fmt):
    path = tmp_path / f"a{suffix}"
    make.clip(path, frames=10, codec=codec, pix_fmt=pix_fmt)
    _, frames = read(path)
    assert [make.index_of(f.image) for f in frames] == list(range(10))


def test_a_truncated_file_gives_its_frames_before_the_error(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=200, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = []
    with open_source(str(path)) as source, pytest.raises(BrokenSourceError, match="of 200 frames"):
        for frame in source:
            frames.append(frame)
    assert len(frames) > 10


def test_a_picture_that_ends_before_its_sound_is_whole(tmp_path):
    given = make.clip(tmp_path / "given.mp4", frames=60, audio=True)
    for name in ("a.mp4", "a.mkv", "a.ts"):
        path = make.remuxed(
            given, tmp_path / name, lambda packet, n: packet.stream.type == "audio" or n < 20
        )
        assert len(read(path)[1]) == 20


def test_a_last_picture_that_stands_for_long(tmp_path):
    def stand(packet, number):
        packet.duration = 5 * packet.duration if number < 29 else 150 * packet.duration

    given = make.clip(tmp_path / "given.mp4", frames=30)
    path = make.remuxed(given, tmp_path / "a.mp4", stand)
    with av.open(str(path)) as container:
        assert container.duration > 5_000_000
    assert len(read(path)[1]) == 30


class Pipe(io.RawIOBase):
    """A file that a muxer cannot go back in, to write a length into its header."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def test_a_file_without_a_length_that_starts_late_is_whole(tmp_path):
    clip, pipe = make.clip(tmp_path / "clip.mp4", frames=40), Pipe()
    options = {"output_ts_offset": "5"}
    with (
        av.open(str(clip)) as given,
        av.open(pipe, "w", format="matroska", options=options) as container,
    ):
        stream = container.add_stream_from_template(given.streams.video[0])
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    path = tmp_path / "a.mkv"
    path.write_bytes(pipe.data)
    with av.open(str(path)) as container:
        assert container.duration is None and container.start_time >= 5_000_000
    _, frames = read(path)
    assert [frame.time for frame in frames[:2]] == [0, 0.033] and len(frames) == 40


def test_pictures_of_an_avi_are_shown_in_the_order_of_their_times(tmp_path):
    """Its packets have no other times than those of decoding, which B-frames are not shown in."""
    _, frames = read(make.clip(tmp_path / "a.avi", frames=30))
    assert [make.index_of(frame.image) for frame in frames] == [n % 24 for n in range(30)]
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(n, 30) for n in range(30)]


@pytest.mark.parametrize("name", ["a.mkv", "a.flv"])
def test_other_truncated_containers(tmp_path, name):
    path = make.clip(tmp_path / name, frames=120, size=(320, 240), audio=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_source(str(path)) as source, pytest.raises(BrokenSourceError, match="is truncated"):
        list(source)


BOUNDARIES = {  # of HTTP cameras as people have them
    "plain": "frame",
    "esp32": "123456789000000000000987654321",
    "dashes": "--frame",
    "nolen": "frame",
}


class Camera(BaseHTTPRequestHandler):
    """An HTTP camera: JPEGs without times, one after the other; its path names its kind."""

    jpegs: ClassVar[list[bytes]] = [
        cv2.imencode(".jpg", make.picture(index))[1].tobytes() for index in range(10)
    ]

    def log_message(self, *values):
        """Print nothing."""

    def do_GET(self):
        kind = self.path.strip("/")
        boundary = BOUNDARIES[kind]
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={boundary}")
        self.end_headers()
        for jpeg in self.jpegs:
            dashes = "" if boundary.startswith("--") else "--"
            length = "" if kind == "nolen" else f"Content-Length: {len(jpeg)}\r\n"
            head = f"{dashes}{boundary}\r\nContent-Type: image/jpeg\r\n{length}\r\n"
            before = b"\r\n" if kind == "esp32" else b""
            self.wfile.write(before + head.encode() + jpeg + b"\r\n")


@contextmanager
def camera(kind="plain", handler=Camera):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_port}/{kind}"
        finally:
            serving.shutdown()
            thread.join()


@contextmanager
def raw_h264(tmp_path):
    """A server of raw H.264, without times, to one client."""
    data = make.clip(tmp_path / "a.h264", frames=10).read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(data)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("kind", [*BOUNDARIES, "h264"])
def test_live_sources_without_times_take_the_clock_of_arrival(tmp_path, monkeypatch, kind):
    seconds = itertools.count(1000.0, 0.2)
    for module in (files_and_streams, live_packets):
        monkeypatch.setattr(module, "monotonic", lambda: next(seconds))
    serving = raw_h264(tmp_path) if kind == "h264" else camera(kind)
    with serving as url, open_source(url) as source:
        assert source.info.live and source.info.rate is None
        frames = []
        with suppress(BrokenSourceError):  # it ends
            for frame in source:
                frames.append(frame)
    count = 9 if kind == "nolen" else 10  # without a length the last one has no end
    assert [make.index_of(frame.image) for frame in frames] == list(range(count))
    # The clock is asked when the source is opened, and for each packet.
    expected = [0, *(0.2 + 0.2 * number for number in range(1, count))]
    assert [frame.time for frame in frames] == pytest.approx(expected)


class Locked(BaseHTTPRequestHandler):
    """A camera that refuses every password."""

    def log_message(self, *values):
        """Print nothing."""

    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize(
    ("login", "says"),
    [
        ("viewer:s%40cret@", "http://viewer:***@{place} refuses this user or password"),
        ("", "http://{place} asks for a password: http://USER:PASSWORD@{place}"),
    ],
)
def test_a_wrong_password_is_one_line_that_does_not_show_it(login, says):
    with camera(handler=Locked) as url:
        place = url.removeprefix("http://")
        with pytest.raises(SourceError) as raised:
            open_source(f"http://{login}{place}")
    said = str(raised.value)
    assert said.startswith(says.format(place=place)) and "cret" not in said and "\n" not in said


def test_a_live_source_is_named_without_its_password():
    with camera() as url, open_source(url.replace("//", "//viewer:secret@")) as source:
        assert source.info.name == url.replace("//", "//viewer:***@")
        with pytest.raises(BrokenSourceError) as raised:
            list(source)
    assert "secret" not in str(raised.value)


def test_a_file_over_http_loses_nothing(tmp_path, server):
    make.clip(tmp_path / "a.mp4", frames=30)
    with open_source(f"{server}/a.mp4") as source:
        assert not source.info.live and len(list(source)) == 30


def test_a_file_without_times_over_http_is_not_live(tmp_path, server):
    make.clip(tmp_path / "a.h264", frames=30)
    with open_source(f"{server}/a.h264") as source:
        frames = list(source)
        assert not source.info.live and len(frames) == 30
    gaps = {round(b.time - a.time, 6) for a, b in itertools.pairwise(frames)}
    assert len(gaps) == 1


def test_a_url_that_is_not_there(server):
    with pytest.raises(SourceError, match="cannot open"):
        open_source(f"{server}/none.mp4")


def test_a_decoder_that_is_not_there_is_an_error_not_a_fallback(tmp_path, monkeypatch):
    path = str(make.clip(tmp_path / "in.mp4"))
    monkeypatch.setattr(containers, "decoding_devices", lambda: ())
    with pytest.raises(DeviceError, match="steam: FFmpeg knows none such, and no other does: use"):
        open_source(path, hwaccel="steam")
    monkeypatch.setattr(containers, "hwdevices_available", lambda: ["cuda", "qsv"])
    monkeypatch.setattr(containers, "decoding_devices", lambda: ("cuda",))
    with pytest.raises(DeviceError, match=r"qsv: no such device .* auto or none or cuda"):
        open_source(path, hwaccel="qsv")
    asked = []

    def refuse(**wanted):
        asked.append(wanted)
        raise RuntimeError("no device")

    monkeypatch.setattr(containers, "HWAccel", refuse)
    with pytest.raises(DeviceError, match="use --hwaccel auto"):
        open_source(path, hwaccel="cuda:1")
    assert asked == [{"device_type": "cuda", "device": "1", "allow_software_fallback": False}]


@pytest.mark.parametrize(
    ("devices", "line"),
    [((), "no device here decodes video, the CPU does"),
     (("cuda",), "cuda cannot decode .*, the CPU does")],
)  # fmt: skip
def test_auto_falls_back_to_the_cpu_with_one_line(tmp_path, monkeypatch, caplog, devices, line):
    path = str(make.clip(tmp_path / "in.mp4", frames=5))
    monkeypatch.setattr(containers, "decoding_devices", lambda: devices)
    # A device that decodes nothing, as one does that lacks the codec: FFmpeg's own fallback.
    monkeypatch.setattr(containers, "HWAccel", lambda **wanted: None)
    with open_source(path, hwaccel="auto") as source:
        assert [make.index_of(frame.image) for frame in source] == list(range(5))
    assert re.search(line, caplog.text) and len(caplog.records) == 1


def test_devices_are_those_that_open(monkeypatch):
    class Device:
        def __init__(self, *, device_type):
            self._kind = device_type

        def create(self, codec):
            if self._kind != "cuda":
                raise NotImplementedError(f"no {self._kind} decodes {codec.name}")

    monkeypatch.setattr(containers, "HWAccel", Device)
    monkeypatch.setattr(containers, "hwdevices_available", lambda: ["drm", "cuda", "qsv"])
    assert containers.decoding_devices.__wrapped__() == ("cuda",)
