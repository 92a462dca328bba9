"""Subtitles: how long cues last, and what stands in them."""

import make
import pytest

from realtime.sinks.subtitles import SubtitleSink


def labels(*names):
    return [
        make.labelled(index, *([make.garment(name, colour="red")] if name else []))
        for index, name in enumerate(names)
    ]


def test_cues_last_as_long_as_their_labels(tmp_path):
    path = tmp_path / "a.srt"
    make.write_all(SubtitleSink(path), *labels("", "Dress", "Dress", "unknown", "Bag", "Bag"))
    assert path.read_text() == (
        "1\n00:00:00,100 --> 00:00:00,300\nred Dress\n\n"
        "2\n00:00:00,400 --> 00:00:00,600\nred Bag\n\n"
    )


def test_webvtt_of_long_videos(tmp_path):
    path = tmp_path / "a.vtt"
    both = make.labelled(36_610, make.garment(), make.garment("Bag"))
    make.write_all(SubtitleSink(path), both, make.labelled(36_611))
    assert path.read_text() == "WEBVTT\n\n1\n01:01:01.000 --> 01:01:01.100\nBag, Dress\n\n"


def test_a_line_for_each_person(tmp_path):
    path = tmp_path / "a.srt"
    garments = [
        make.garment("t-shirt", person=2, colour="blue"), make.garment("pants", person=2),
        make.garment("dress", person=1), make.garment("bag"), make.garment("unknown", person=3),
    ]  # fmt: skip
    make.write_all(SubtitleSink(path), make.labelled(1, *garments), make.labelled(2))
    assert path.read_text().splitlines()[2:] == [
        "bag", "person 1: dress", "person 2: blue t-shirt, pants", "",
    ]  # fmt: skip


def test_no_labels_are_no_cues(tmp_path):
    make.write_all(SubtitleSink(tmp_path / "a.srt"), *labels("", "unknown"))
    assert (tmp_path / "a.srt").read_text() == ""


@pytest.mark.parametrize(
    ("suffix", "cue"),
    [(".srt", "red a → b \u2039i> & (c}"), (".vtt", "red a → b &lt;i> &amp; {c}")],
)
def test_names_are_neither_cues_nor_markup(tmp_path, suffix, cue):
    path = tmp_path / f"out{suffix}"
    odd = make.garment("a --> b\n\n<i> & {c}", colour="red")
    make.write_all(SubtitleSink(path), make.labelled(0, odd), make.labelled(1))
    assert path.read_text().split("\n")[-3:-1] == [cue, ""]
