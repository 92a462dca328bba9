"""Clips and snapshots of events."""

import json
from fractions import Fraction

import av
import cv2
import make
import numpy as np
import pytest
from event_receivers import event, frame_with

from realtime.sinks.events.pictures import EventClips, EventSnapshots


def run(sink, count: int, events: dict, **source):
    frames = [frame_with(*events.get(index, ()), index=index) for index in range(count)]
    make.write_all(sink, *frames, source=make.info(**source))


def test_a_clip_begins_before_its_event_and_ends_after_it(tmp_path):
    sink = EventClips(tmp_path, before=1, after=0.5, labelled=False)
    run(sink, 60, {20: [event(1)], 22: [event(2, "left")], 50: [event(3, "rule broken")]})
    index = [json.loads(line) for line in (tmp_path / "clips.jsonl").read_text().splitlines()]
    assert [(one["begin"], one["end"], one["events"]) for one in index] == [
        (1.0, 2.7, ["run-000001", "run-000002"]), (4.0, 5.5, ["run-000003"]),
    ]  # fmt: skip
    pictures, times = make.decoded(tmp_path / index[1]["clip"])
    assert index[1]["clip"] == "run-000003-rule-broken.mp4"
    assert times == [Fraction(number, 10) for number in range(16)]
    # The picture of the event, in its place.
    assert make.index_of(pictures[10]) == 50 % 24 and make.index_of(pictures[0]) == 40 % 24


def test_a_clip_has_the_sound_of_its_part(tmp_path):
    source = make.clip(tmp_path / "in.mp4", frames=180, audio=True)
    sink = EventClips(tmp_path / "clips", before=1, after=1, labelled=False)
    run(sink, 60, {40: [event(1)]}, path=str(source))
    with av.open(str(tmp_path / "clips" / "run-000001-entered.mp4")) as clip:
        sound = [p for p in clip.demux(audio=0) if p.pts is not None]
        seconds = [float(p.pts * p.time_base) for p in sound]
    assert seconds[0] == pytest.approx(0, abs=0.07) and seconds[-1] == pytest.approx(2, abs=0.1)


def test_a_snapshot_of_each_event(tmp_path):
    run(EventSnapshots(tmp_path / "new", labelled=True), 5, {3: [event(1)]})
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "run-000001-entered.jpg"
    image = cv2.imread(str(path))
    assert np.abs(image.astype(int) - make.picture(3)).mean() < 4
