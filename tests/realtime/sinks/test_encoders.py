"""Encoders: which are here, the line for one that is not, and the same frames by each that is."""

import av
import make
import pytest

from preprocessing.errors import DeviceError
from realtime.sinks import encoders
from realtime.sinks.encoders import CARDS, ENCODERS, Encoder, encoder_for, opens
from realtime.sinks.video import VideoSink

HERE = [name for name in ENCODERS if opens(name)]


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_encoder_that_is_here_gives_all_frames_at_their_times(tmp_path, name, suffix):
    path = tmp_path / f"out{suffix}"
    frames = [make.labelled(index, image=make.picture(index)) for index in range(8)]
    make.write_all(VideoSink(path, audio=False, encoder=name), *frames)
    images, times = make.decoded(path)
    assert [make.index_of(image) for image in images] == list(range(8))
    assert times == pytest.approx([frame.frame.time for frame in frames])


def test_h265_in_mp4_has_the_tag_that_players_ask_for(tmp_path):
    make.write_all(
        VideoSink(tmp_path / "out.mp4", audio=False, encoder="libx265"), make.labelled(0)
    )
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert all(ENCODERS[name].tag_in("mp4") for name in ENCODERS if name.startswith("hevc"))
    assert ENCODERS["hevc_nvenc"].tag_in("matroska") == ""


def test_an_encoder_that_takes_interleaved_chroma_gets_the_same_colours(tmp_path, monkeypatch):
    card = Encoder(name="libx264", options=encoders.X264, pix_fmt="nv12")
    monkeypatch.setitem(ENCODERS, "libx264", card)
    make.write_all(VideoSink(tmp_path / "nv12.mp4", audio=False), make.labelled(3))
    monkeypatch.undo()
    make.write_all(VideoSink(tmp_path / "planes.mp4", audio=False), make.labelled(3))
    given, own = (make.decoded(tmp_path / name)[0][0] for name in ("nv12.mp4", "planes.mp4"))
    assert abs(given.astype(int) - own).max() <= 1


def test_one_that_is_not_here_is_one_line_that_names_those_which_are(monkeypatch):
    monkeypatch.setattr(encoders, "opens", lambda name: name.startswith("lib"))
    with pytest.raises(DeviceError, match=r"^--encoder h264_nvenc .* here are libx264, libx265$"):
        encoder_for("h264_nvenc")
    with pytest.raises(DeviceError):
        VideoSink("out.mp4", audio=False, encoder="hevc_qsv")


def test_auto_is_a_graphics_cards_only_if_it_opens(monkeypatch):
    monkeypatch.setattr(encoders, "opens", lambda name: name in ("libx264", "h264_qsv"))
    assert encoder_for("auto").name == "h264_qsv"
    monkeypatch.setattr(encoders, "opens", lambda name: name == "libx264")
    assert encoder_for("auto").name == "libx264"
    assert not any(opens.__wrapped__(name) for name in CARDS if name.endswith("toolbox"))
