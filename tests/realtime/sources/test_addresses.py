"""What people type as a source or output, and the name that FFmpeg gets for it."""

import os

import make
import pytest

from realtime.sinks.sink_table import SINKS, OutputSettings, make_sinks
from realtime.sources.addresses import has_scheme, is_live, is_stream, media_location, read_address
from realtime.sources.open_source import open_source

ODD = [b"a:b", b"http:c", b"p%03d", b"new\nline", b"caf\xe9", b"concat:a|b", b"q*?[x]", b"%41"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("in.mp4", "in.mp4"),
        ("a:b.mp4", "a:b.mp4"),
        ("RTSP://Host/Path", "rtsp://Host/Path"),
        ("Fake://30fps", "fake://30fps"),
        ("foo://x", "foo://x"),
        ("file:///tmp/a%20b%C3%A9.mp4", "/tmp/a bé.mp4"),
        ("File://localhost/x.mp4", "/x.mp4"),
        ("file:///%E9", os.fsdecode(b"/\xe9")),
        ("~/x.mp4", os.path.expanduser("~/x.mp4")),
        ("-", "-"),
    ],
)
def test_an_address_is_read(text, address):
    assert read_address(text) == address


def test_a_file_that_is_there_is_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").touch()
    (tmp_path / "100%25.mp4").touch()
    assert read_address("~") == "~"
    assert read_address(f"file://{tmp_path}/100%25.mp4") == f"{tmp_path}/100%25.mp4"


def test_kinds_of_addresses():
    assert is_stream("rtp://x") and is_stream("srt://x") and not is_stream("fake://x")
    assert is_live(0) and is_live("fake://x") and not is_live("-")
    assert has_scheme("foo://x") and not has_scheme("a:b.mp4")
    assert media_location("udp://x") == "udp://x" and media_location("a:b") == "file:a:b"


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_paths_for_every_source_and_sink(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    clip, text = make.clip(tmp_path / "in.mp4", frames=3, audio=True), os.fsdecode(name)
    clip.rename(f"{text}.mp4")
    outputs = OutputSettings(
        paths={sink: tmp_path.__class__(f"o:{text}-{sink}{row.suffix}")
               for sink, row in SINKS.items()}
    )  # fmt: skip
    sinks = make_sinks(outputs)
    with open_source(f"{text}.mp4") as source:
        frames = [make.labelled(0, make.garment(), frame=frame) for frame in source]
        for sink in sinks:
            make.write_all(sink, *frames, source=source.info)
    assert all(os.path.lexists(path) for path in outputs.paths.values())
    os.replace(outputs.paths["out"], "out.mp4")
    assert len(make.decoded(tmp_path / "out.mp4")[0]) == 3
    assert make.sound_packets(tmp_path / "out.mp4")


def test_a_video_with_the_name_of_a_row_of_pictures(tmp_path):
    path = make.clip(tmp_path / "in.mp4", frames=3, audio=True).rename(tmp_path / "a%d.jpg")
    with open_source(str(path)) as source:
        assert len(list(source)) == 3
