"""The bundled clip: every garment found and named for as long as it is on the screen."""

import json

import make
import pytest

from preprocessing.builders.demo_clip import RATE, SCENE_SECONDS, SCENES
from realtime.sources import DEMO

LENGTH = RATE * SCENE_SECONDS
SETTLED = 5  # frames after a cut until the votes agree


def test_the_clip_is_small():
    assert DEMO.stat().st_size <= 1_000_000


def test_the_demo_names_its_garments(tmp_path):
    rows_file = tmp_path / "rows.jsonl"
    done = make.app("--demo", "-o", tmp_path / "out.mp4", "--jsonl", rows_file)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    assert len(make.decoded(tmp_path / "out.mp4")[0]) == LENGTH * len(SCENES)
    for number, (_, _, classes) in enumerate(SCENES):
        frames = range(number * LENGTH + SETTLED, (number + 1) * LENGTH)
        for name in classes:
            seen = {row["frame"] for row in rows if row["label"] == name} & set(frames)
            assert len(seen) > 0.9 * len(frames), (number, name, len(seen))
        labels = [row["label"] for row in rows if row["frame"] in frames]
        assert len(labels) == pytest.approx(len(classes) * len(frames), rel=0.05)
