"""Composed frames of people in YOLO's layout."""

import json

import people

from preprocessing.builders import people_frames
from preprocessing.datasets.yolo_layout import check_layout, read_boxes, read_layout


def test_frames_are_written_with_their_boxes(tmp_path, capsys):
    parsed, photos = people.folder(tmp_path / "parsed"), people.garments(tmp_path)
    flags = ["--parsed", str(parsed), "--photos", str(photos), "--size", "96", "--count", "30"]
    for out in ("a", "b"):
        assert people_frames.main([*flags, "--out", str(tmp_path / out)]) == 0
    layout = read_layout(tmp_path / "a" / "data.yaml")
    assert layout.names == ("person",)
    check_layout(layout, ("train", "val"))
    images = layout.images("train")
    assert len(images) == 30 and len(layout.images("val")) == 1
    boxes = [len(read_boxes(path, classes=1).labels) for path in images]
    manifest = json.loads((tmp_path / "a" / "manifest-train.json").read_text())
    assert manifest["frames by people"] == {str(n): boxes.count(n) for n in sorted(set(boxes))}
    assert manifest["flags"]["seed"] == 0 and max(boxes) > 1
    assert "training: 30 frames" in capsys.readouterr().out
    again = (tmp_path / "b" / "images" / "train" / images[-1].name).read_bytes()
    assert images[-1].read_bytes() == again
