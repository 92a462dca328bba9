"""Sound is copied as a player would play it; what cannot be copied is left out and named."""

import io
import logging
from fractions import Fraction
from itertools import pairwise

import av
import make
import numpy as np
import pytest

from realtime.runtime.cut import Cut
from realtime.sinks import video
from realtime.sinks.sound_tracks import AudioTrack
from realtime.sinks.video import VideoSink
from realtime.sources import skipping
from realtime.sources.open_source import open_source


def copied(path, out, **options):
    with open_source(str(path), **options) as source:
        frames = [make.labelled(0, image=frame.image, frame=frame) for frame in source]
        make.write_all(VideoSink(out, audio=True), *frames, source=source.info)
    return out


def starts(path):
    return [start for start, _ in make.sound_packets(path)]


def with_tracks(path, *codecs):
    """A clip of a second with silent tracks of 48,000 samples a second."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("ffv1", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        tracks = [container.add_stream(codec, rate=48_000, layout="stereo") for codec in codecs]
        for index in range(25):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = index
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for track in tracks:
            size = track.codec_context.frame_size or 1024
            layout = track.codec_context.format.name
            for start in range(0, 48_000 - size, size):
                frame = av.AudioFrame(layout, "stereo", size)
                for plane in frame.planes:
                    np.frombuffer(plane, np.uint8)[:] = 0
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def kinds(path):
    with av.open(str(path)) as container:
        counts = {stream.index: 0 for stream in container.streams}
        for packet in container.demux():
            counts[packet.stream.index] += bool(packet.size)
        return [(s.codec_context.name, counts[s.index]) for s in container.streams]


@pytest.mark.parametrize(
    ("suffix", "kept", "advice"),
    [(".mp4", ["aac", "ac3"], "write .mkv"), (".mkv", ["aac", "pcm_u8", "ac3"], "")],
)
def test_a_track_that_the_container_cannot_hold_is_left_out(tmp_path, caplog, suffix, kept, advice):
    path = with_tracks(tmp_path / "in.mkv", "aac", "pcm_u8", "ac3")
    written = kinds(copied(path, tmp_path / f"out{suffix}"))
    assert written[0] == ("h264", 25)
    assert [name for name, _ in written[1:]] == kept and all(n > 10 for _, n in written[1:])
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("realtime")]
    assert len(lines) == bool(advice)
    assert all("sound track 2 (pcm_u8)" in line and advice in line for line in lines)


@pytest.mark.parametrize(
    "codec", ["aac", "libmp3lame", "libopus", "ac3", "eac3", "flac", "alac", "pcm_s16le"]
)
def test_common_codecs_are_kept(tmp_path, codec):
    path = with_tracks(tmp_path / "in.mkv", codec)
    written = copied(path, tmp_path / "out.mp4")
    assert [bytes for _, bytes in make.sound_packets(written)] == [
        bytes for _, bytes in make.sound_packets(path)
    ]
    assert kinds(written)[0] == ("h264", 25)


def test_a_codec_that_the_library_does_not_know(tmp_path, caplog):
    path = make.clip(tmp_path / "in.mov", frames=30, audio=True)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"mp4a", b"apac").replace(b"esds", b"apad"))
    out = copied(path, tmp_path / "out.mp4")
    assert kinds(out) == [("h264", 30)]
    assert (
        "sound track 1 (unknown codec) does not fit into .mp4" in caplog.text
        and "--no-audio" in caplog.text
    )


@pytest.mark.parametrize(
    ("given", "placed"),
    [
        ([0, 10, 20, 30, 45], [0, 10, 20, 30, 45]),
        ([0, 10, 20, 20, 40, 50], [0, 10, 20, 30, 40, 50]),  # one stands still
        ([0, 10, 20, 15, 40], [0, 10, 20, 30, 40]),  # one falls
        ([0, 10, None, 30], [0, 10, 20, 30]),
        ([None, None, 20], [0, 10, 20]),
        ([300, 310, 0, 10, 20], [300, 310, 320, 330, 340]),  # the sound begins anew
        ([0, 10, 20, 30, 12, 22, 32, 42, 52, 62], [0, 10, 20, 30, 40, 45, 50, 55, 60, 62]),
        ([0, 10, 20, 12, 22, 32, 42, 52], [0, 10, 20, 30, 35, 40, 42, 52]),  # draws level
    ],
)
def test_times_are_mended(tmp_path, caplog, given, placed):
    """Packets of 10 hundredths of a second."""
    with av.open(str(with_tracks(tmp_path / "in.mkv", "aac"))) as container:
        source = container.streams.audio[0]
        with av.open(io.BytesIO(), "w", format="matroska") as output:
            track = AudioTrack(source, output, name="in.mkv: sound track 1")
            track.tick, found = Fraction(1, 100), []
            for time in given:
                packet = av.Packet(b"sound")
                packet.dts = packet.pts = time
                packet.duration = 10
                track.place(packet, None)
                found.append(track.last)
    assert found == placed
    assert ("in.mkv: sound track 1: its times" in caplog.text) == (given != placed)


def test_two_recordings_stay_in_step(tmp_path, caplog):
    """Of joined files sound and picture are moved by the same time, also where sound overlaps."""
    clip = make.clip(tmp_path / "clip.mp4", frames=60, audio=True)
    part = make.remuxed(clip, tmp_path / "a.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * part.read_bytes())
    out = copied(joined, tmp_path / "out.mp4")
    found, times = starts(out), make.decoded(out)[1]
    assert times == [Fraction(index, 30) for index in range(120)]
    once = starts(copied(part, tmp_path / "once.mp4"))
    assert len(found) == 2 * len(once)
    assert float(found[-1]) == pytest.approx(float(once[-1]) + 2.0, abs=0.001)
    assert all(second > first for first, second in pairwise(found))


def test_sound_longer_than_the_picture_is_kept_whole(tmp_path):
    given = make.clip(tmp_path / "given.mp4", frames=60, audio=True)
    path = make.remuxed(
        given, tmp_path / "in.mp4", lambda packet, n: packet.stream.type == "audio" or n < 20
    )
    assert starts(copied(path, tmp_path / "out.mp4")) == starts(given)


def test_sound_that_the_muxer_refuses_does_not_end_the_video(tmp_path, caplog, monkeypatch):
    path = make.clip(tmp_path / "in.mp4", frames=60, audio=True)
    real = av.container.OutputContainer.mux
    calls = []

    class Refusing:
        """An output that refuses the sixth packet of sound."""

        def __init__(self, output):
            self._output, self.name, self.format = output, output.name, output.format
            self.add_stream_from_template = output.add_stream_from_template

        def mux(self, packet):
            calls.append(packet)
            if len(calls) == 6:
                raise av.ArgumentError(22, "Invalid argument")
            real(self._output, packet)

    made = video.AudioCopy
    monkeypatch.setattr(
        video, "AudioCopy", lambda path, output, **more: made(path, Refusing(output), **more)
    )
    out = copied(path, tmp_path / "out.mp4")
    assert kinds(out) == [("h264", 60), ("aac", 5)]
    assert "in.mp4: sound track 1 cannot be copied" in caplog.text


def test_sound_that_cannot_be_read_any_more_does_not_end_the_video(tmp_path, caplog):
    path = make.clip(tmp_path / "in.mp4", frames=10, audio=True)
    with open_source(str(path)) as source:
        frames = list(source)
        path.rename(tmp_path / "moved.mp4")
        sink = VideoSink(tmp_path / "out.mp4", audio=True)
        labelled = [make.labelled(0, image=frame.image, frame=frame) for frame in frames]
        make.write_all(sink, *labelled, source=source.info)
    assert kinds(tmp_path / "out.mp4") == [("h264", 10)]
    assert "in.mp4: its sound cannot be read and is left out" in caplog.text


@pytest.mark.parametrize(("suffix", "first"), [(".mp4", 24), (".mkv", 25)])
def test_the_sound_of_a_cut_begins_and_ends_with_it(tmp_path, monkeypatch, suffix, first):
    monkeypatch.setattr(skipping, "SEEKING", 0.3)
    path = make.clip(tmp_path / "in.mp4", frames=120, audio=True, gop=12)
    whole = make.sound_packets(path)  # of 64 ms; the first begins 64 ms before the picture
    out = copied(path, tmp_path / f"out{suffix}", cut=Cut(start=Fraction("1.5"), end=Fraction(3)))
    packets = make.sound_packets(out)
    assert [content for _, content in packets] == [content for _, content in whole[first:48]]
    moved = [float(start) - 1.5 for start, _ in whole[first:48]]
    assert [float(start) for start, _ in packets] == pytest.approx(moved, abs=0.001)
    assert len(make.decoded(out)[0]) == 45


TAGS = (("deu", "Ton"), ("fra", "Son"))


def with_tags(path, date):
    """A clip with a title, a date, and two sound tracks that have a language and a title each."""
    with av.open(str(path), "w") as container:
        container.metadata.update(title="Fitting", creation_time=date, encoder="none")
        picture = container.add_stream("libx264", rate=30)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.metadata["language"] = "ita"
        sounds = [container.add_stream("aac", rate=16000) for _ in TAGS]
        for sound, (language, title) in zip(sounds, TAGS, strict=True):
            sound.metadata.update(language=language, title=title)
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(make.picture(index), format="bgr24")
            frame.pts = index
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for sound in sounds:
            make.add_sound(container, sound, seconds=0.3)
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_languages_titles_and_date_are_kept(tmp_path, suffix):
    date = "2024-05-06T07:08:09.000000Z"
    path = with_tags(tmp_path / "in.mkv", date)
    with av.open(str(copied(path, tmp_path / f"out{suffix}"))) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
        assert (tags["title"], tags["creation_time"]) == ("Fitting", date)
        assert container.streams.video[0].language == "ita"
        tracks = container.streams.audio
        german = "ger" if suffix == ".mov" else "deu"  # of ISO 639-2/B and T
        assert [track.language for track in tracks] == [german, "fra"]
        for track, (_, title) in zip(tracks, TAGS, strict=True):
            assert title in (track.metadata.get("title"), track.metadata.get("name"))


@pytest.mark.parametrize(("suffix", "preroll"), [(".mp4", 4), (".mkv", 1)])
def test_sound_that_an_edit_list_hides_is_left_out(tmp_path, suffix, preroll):
    """Ten of twenty-five pictures, and the sound beside them, lie before time 0."""
    given = make.clip(tmp_path / "given.mp4", frames=25, audio=True)
    options = {"output_ts_offset": "-0.333333", "avoid_negative_ts": "disabled"}
    path = make.remuxed(given, tmp_path / "in.mp4", options=options)
    with av.open(str(path)) as container:
        heard = [bytes(p) for p in container.demux(audio=0) if p.size and not p.is_discard]
        assert len(heard) < 12
    out = copied(path, tmp_path / f"out{suffix}")
    images, times = make.decoded(out)
    assert [make.index_of(image) for image in images] == [*range(10, 24), 0]
    packets = [data for _, data in make.sound_packets(out)]
    assert packets[preroll:] == heard and times[0] < 0.1


def test_warnings_are_plain_lines(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    copied(make.clip(tmp_path / "in.mp4", audio=True), tmp_path / "out.mp4")
    assert not [record for record in caplog.records if record.name.startswith("realtime")]
