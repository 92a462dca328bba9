"""Scores of pipelines with known results on labelled footage."""

import csv
import json
from fractions import Fraction

import cv2
import make
import numpy as np
import pytest

from realtime.bench import footage, score
from realtime.bench.answers import summed
from realtime.bench.footage import Footage
from realtime.bench.score import RawChanges, Score, score_footage, table
from realtime.types import Garment, Label, Region

BOX = np.array([10, 10, 40, 40], np.float32)


def garment(name, probability=0.9, *, track=1, box=BOX):
    box = np.array(box, np.float32)
    height, width = int(box[3] - box[1]), int(box[2] - box[0])
    return Garment(Region(box, np.full((height, width), 255, np.uint8)), track,
                   Label(name, probability))  # fmt: skip


def finding(*results):
    """A pipeline that finds the given garments frame by frame, and then the last ones for ever."""
    given = iter(results)
    last = []

    def analysis(frame, stats):
        last[:] = next(given, last)
        return list(last)

    return analysis


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=8, time_base=Fraction(1, 8))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([[garment("Pullover")]], {"right": 1, "hits": 8, "changes": 0, "unknown": 0}),
        ([[garment("longsleeve")]], {"right": 1, "hits": 8}),
        ([[garment("Dress")]], {"right": 0, "hits": 0, "rows": 8}),
        ([[garment("unknown")]], {"right": 0, "hits": 0, "unknown": 8}),
        # A more general name is neither right nor wrong, but another one is wrong.
        ([[garment("top")]], {"right": 0, "hits": 0, "unknown": 0}),
        ([[garment("top")]] * 6 + [[garment("Pullover")]], {"right": 1, "hits": 2}),
        ([[garment("outwear")]] * 6 + [[garment("Pullover")]], {"right": 0, "hits": 2}),
        ([[]], {"right": 0, "hits": 0, "rows": 0}),
        ([[garment("Dress")]] * 3 + [[garment("Pullover")]], {"right": 1, "hits": 5, "changes": 1}),
        # Of two upper garments the larger counts; trousers do not compete with a pullover.
        ([[garment("Dress", track=1), garment("Pullover", track=2, box=(0, 0, 60, 48))]],
         {"right": 1}),
        ([[garment("Pullover", track=1), garment("Trouser", track=2, box=(0, 0, 60, 48))]],
         {"right": 1}),
    ],
)  # fmt: skip
def test_a_clip_of_a_pullover(video, results, expected):
    found = score_footage(Footage(video, ("longsleeve",)), finding(*results))
    assert found.frames == 8 and found.expected == 1 and found.chances == 8
    assert {name: getattr(found, name) for name in expected} == expected


def test_changes_without_voting(video):
    class Alternating:
        """Classifies the first of two garments differently in each frame."""

        frame = 0

        def __call__(self, image, regions):
            self.frame += 1
            return np.eye(2, dtype=np.float32)[[self.frame % 2, 1]]

    clip, steady = Footage(video, ("longsleeve",)), finding([garment("Pullover")])
    two = finding([garment("Pullover"), garment("Trouser", track=2)])
    found = score_footage(clip, steady, raw=RawChanges(two, Alternating()))
    assert (found.changes, found.raw_changes) == (0, 7)
    assert found.raw_seconds == pytest.approx(2 * found.track_seconds)
    assert found.figures()["raw_changes_per_second"] == pytest.approx(4)
    assert score_footage(clip, steady).figures()["raw_changes_per_second"] is None


def test_garment_free_footage(video):
    results = [[], [garment("Bag")], [garment("unknown")], []]
    found = score_footage(Footage(video, ()), finding(*results))
    assert (found.free_frames, found.false_frames, found.expected) == (8, 1, 0)
    assert found.figures()["false_alarms"] == pytest.approx(1 / 8)


def test_a_photo_becomes_a_clip_whose_box_moves_along(tmp_path):
    image = np.full((200, 300, 3), 230, np.uint8)
    cv2.rectangle(image, (100, 60), (180, 140), (40, 40, 160), cv2.FILLED)
    cv2.imwrite(str(tmp_path / "a.png"), image)

    def red(frame, stats):
        mask = (frame.image[..., 2] > 100) & (frame.image[..., 0] < 100)
        region = Region.from_mask(np.where(mask, 255, 0).astype(np.uint8))
        return [Garment(region, 1, Label("dress", 0.9))]

    photo = Footage(tmp_path / "a.png", ("dress",), photo=True)
    found = score_footage(photo, red, box=np.array([100, 60, 181, 141], np.float32))
    assert found.right == 1 and found.frames == footage.PHOTO_FRAMES
    assert min(found.overlaps) > 0.85
    boxes = {tuple(np.round(turn.ravel(), 2)) for _, turn in footage.camera_motion(image)}
    assert len(boxes) > 10


def test_sums_are_those_of_all_rows():
    scores = [Score("a", frames=2, expected=1, right=1), Score("b", frames=3, expected=1)]
    scores[1].milliseconds = [4.0]
    total = summed(Score("all"), scores)
    assert (total.name, total.frames, total.figures()["majority_right"]) == ("all", 5, 0.5)
    assert "| all | 0.50 |" in table([total])


def test_the_command(tmp_path, capsys):
    video = make.clip(tmp_path / "a.mp4", frames=8)
    with (tmp_path / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "labels"], [str(video), ""]])
    figures = tmp_path / "figures.json"
    flags = ["--clips", str(tmp_path / "index.csv"), "--json", str(figures)]
    assert score.main([*flags, "--locate", "none"]) == 0
    assert json.loads(figures.read_text())["all"]["false_alarms"] == 0
    assert "| all |" in capsys.readouterr().out
    assert score.main([]) == 2
