"""Videos into pipes and to servers."""

import io
import os
import socket
import threading

import av
import make
import pytest
from waiting import until

from preprocessing.errors import ClosedPipeError, SinkError
from realtime.sinks.video import Pace, VideoSink
from realtime.sources.open_source import open_source

DEADLINE = 60  # seconds


class Reader:
    """Collects what `read()` gives, on a thread, until it gives nothing."""

    def __init__(self, read):
        self.data, self._read = b"", read
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while block := self._read():
            self.data += block

    def counts(self):
        """The kinds and numbers of packets of what was read, once it has ended."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return counts(io.BytesIO(self.data))


def counts(file, **options):
    with av.open(file, **options) as container:
        found = {stream.index: 0 for stream in container.streams}
        for packet in container.demux():
            found[packet.stream.index] += bool(packet.size)
        kinds = {s.codec_context.name: found[s.index] for s in container.streams}
        return container.format.name.split(",")[0], kinds


def send(path, target):
    """Write a file's frames and sound to a destination."""
    with open_source(str(path)) as source:
        sink = VideoSink(target, audio=True)
        frames = [make.labelled(0, image=frame.image, frame=frame) for frame in source]
        make.write_all(sink, *frames, source=source.info)


@pytest.fixture
def clip(tmp_path):
    return make.clip(tmp_path / "in.mp4", frames=20, audio=True)


def sent(path, target):
    """True once somebody reads or listens there, and all was sent."""
    try:
        send(path, target)
    except SinkError:
        return False
    return True


def fifo_reader(path):
    os.mkfifo(path)
    made = []

    def read():
        if not made:
            made.append(path.open("rb"))
        return made[0].read(65536)

    return Reader(read)


@pytest.mark.parametrize(
    ("name", "kind"), [("out", "mov"), ("out.mp4", "mov"), ("out.mkv", "matroska")]
)
def test_a_named_pipe_gets_a_video_with_its_sound(tmp_path, clip, name, kind):
    reader = fifo_reader(tmp_path / name)
    until(lambda: sent(clip, tmp_path / name))
    assert reader.counts() == (kind, {"h264": 20, "aac": len(make.sound_packets(clip))})


def test_sound_that_mp4_cannot_hold_makes_a_pipe_matroska(tmp_path):
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        picture = container.add_stream("ffv1", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_u8", rate=8000, layout="mono")
        for index in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = index
            container.mux(picture.encode(frame))
            noise = av.AudioFrame("u8", "mono", 320)
            noise.sample_rate, noise.pts = 8000, 320 * index
            container.mux(sound.encode(noise))
        container.mux(picture.encode(None))
    reader = fifo_reader(tmp_path / "out")
    until(lambda: sent(tmp_path / "in.mkv", tmp_path / "out"))
    assert reader.counts() == ("matroska", {"h264": 5, "pcm_u8": 5})


def test_a_reader_that_takes_no_more(tmp_path):
    os.mkfifo(tmp_path / "out")
    sink = VideoSink(tmp_path / "out", audio=False)
    with pytest.raises(SinkError, match="nobody reads"):
        sink.open(make.info())
    reader = os.open(tmp_path / "out", os.O_RDONLY | os.O_NONBLOCK)
    sink.open(make.info())
    os.close(reader)
    with pytest.raises(ClosedPipeError):
        for index in range(100):
            sink.write(make.labelled(index))


def test_tcp_gets_a_transport_stream(clip, monkeypatch):
    monkeypatch.setattr(Pace, "wait", lambda self, seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def read():
            if not accepted:
                accepted.append(server.accept()[0])
            return accepted[0].recv(65536)

        reader = Reader(read)
        send(clip, f"tcp://127.0.0.1:{server.getsockname()[1]}")
        sound = len(make.sound_packets(clip))
        assert reader.counts() == ("mpegts", {"h264": 20, "aac": sound})
        accepted[0].close()


def test_udp_gets_whole_packets_of_a_transport_stream(clip, monkeypatch):
    monkeypatch.setattr(Pace, "wait", lambda self, seconds: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        sizes = []

        def read():
            block = server.recv(65536)
            sizes.append(len(block))
            return block

        reader = Reader(read)
        send(clip, f"udp://127.0.0.1:{server.getsockname()[1]}")
        server.sendto(b"", server.getsockname())
        kind, found = reader.counts()
        assert (kind, found["h264"]) == ("mpegts", 20)
        assert all(size % 188 == 0 for size in sizes) and max(sizes) == 1316


@pytest.mark.parametrize(
    ("scheme", "listen", "kind"),
    [
        ("rtmp", {"listen": "1"}, "flv"),
        ("rtsp", {"rtsp_flags": "listen", "listen_timeout": str(DEADLINE)}, "rtsp"),
    ],
)
def test_a_server_gets_a_stream(clip, monkeypatch, scheme, listen, kind):
    monkeypatch.setattr(Pace, "wait", lambda self, seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"{scheme}://127.0.0.1:{free.getsockname()[1]}/live/x"
    found = []
    thread = threading.Thread(target=lambda: found.append(received(url, listen)), daemon=True)
    thread.start()
    until(lambda: sent(clip, url))
    thread.join(DEADLINE)
    (got,) = found
    assert got[0] == kind and got[1]["h264"] >= 18 and got[1]["aac"] >= 8


def received(url, options):
    """Count what comes to a listener; the end of a connection may be an error."""
    with av.open(url, options=options) as container:
        found = {"h264": 0, "aac": 0}
        try:
            for packet in container.demux():
                found[packet.stream.codec_context.name] += bool(packet.size)
        except OSError:
            pass
        return container.format.name, found


@pytest.mark.parametrize("scheme", ["rtmp", "rtsp", "tcp"])
def test_where_nobody_listens(scheme):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        sink = VideoSink(f"{scheme}://127.0.0.1:{bound.getsockname()[1]}/x", audio=False)
        with pytest.raises(SinkError, match="nobody listens"):
            sink.open(make.info())


def test_frames_of_files_wait_for_their_time(monkeypatch):
    from realtime.sinks import video

    waits, pace = [], Pace()
    monkeypatch.setattr(video.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(video.time, "sleep", waits.append)
    for seconds in (5.0, 5.5, 65.5, 66.0):
        pace.wait(seconds)
    assert waits == [0.0, 0.5, 1.0, 1.0]
