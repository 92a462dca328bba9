"""Videos: every frame with its time, upright; truncated and network files, segments, decoders."""

import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import make
import pytest

from preprocessing.errors import BrokenSourceError, DeviceError, SourceError
from realtime.sources import files_and_streams
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


@pytest.fixture
def server(tmp_path):
    """An HTTP server of a folder, on loopback."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_file_over_http_loses_nothing(tmp_path, server):
    make.clip(tmp_path / "a.mp4", frames=30)
    with open_source(f"{server}/a.mp4") as source:
        assert not source.info.live and len(list(source)) == 30


def test_a_url_that_is_not_there(server):
    with pytest.raises(SourceError, match="cannot open"):
        open_source(f"{server}/none.mp4")


def test_a_decoder_that_is_not_there_is_an_error_not_a_fallback(tmp_path, monkeypatch):
    path = str(make.clip(tmp_path / "in.mp4"))
    with pytest.raises(DeviceError, match="steam"):
        open_source(path, hwaccel="steam")
    asked = []

    def refuse(**wanted):
        asked.append(wanted)
        raise RuntimeError("no device")

    monkeypatch.setattr(files_and_streams, "hwdevices_available", lambda: ["cuda"])
    monkeypatch.setattr(files_and_streams, "HWAccel", refuse)
    with pytest.raises(DeviceError, match="leave --hwaccel out"):
        open_source(path, hwaccel="cuda")
    assert asked == [{"device_type": "cuda", "allow_software_fallback": False}]
