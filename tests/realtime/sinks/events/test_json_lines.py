"""The file of events."""

import json

import make
from event_receivers import event, frame_with

from realtime.sinks.events.json_lines import EventLog


def test_a_line_an_event(tmp_path):
    path = tmp_path / "a.jsonl"
    box = (1.0, 2.0, 3.0, 4.0)
    make.write_all(EventLog(path), frame_with(event(1, "left", seconds=2.5, box=box), event(2)))
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {
        "id": "run-000001", "event": "left", "source": "in.mp4",
        "at": "2001-09-09T01:46:40.000+00:00", "frame": 1, "time": 0.1, "place": "floor",
        "direction": "", "person": 3, "garments": [{"label": "coat", "colour": "red", "track": 7}],
        "box": [1.0, 2.0, 3.0, 4.0], "seconds": 2.5, "detail": "",
    }  # fmt: skip
    assert second["box"] is None
