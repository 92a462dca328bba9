"""What the bench measures with: clips, rows against rows, likeness and age of pictures."""

import json
import re
import sys

import cv2
import make
import numpy as np
import pytest

from realtime.assemble import make_analysis
from realtime.bench import endurance, measure
from realtime.bench.clips import RATE, Clip, build, looped
from realtime.bench.latency import ages
from realtime.bench.measure import Run, compare, measured, table
from realtime.bench.page import page
from realtime.bench.peers import Contestant
from realtime.bench.quality import f1_of_rows, ssim, ssim_of_videos
from realtime.settings import Recognition


@pytest.mark.parametrize("still", [False, True])
def test_clips(tmp_path, still):
    path = build(tmp_path / "clip.mp4", Clip(12, "720p", still=still, sound=True))
    images, _ = make.decoded(path)
    assert len(images) == 12 and images[0].shape == (720, 1280, 3)
    assert make.sound_packets(path)
    moved = np.abs(images[11].astype(int) - images[0]).mean(axis=2).max()
    assert (moved < 60) == still


def test_a_looped_clip(tmp_path):
    once = build(tmp_path / "once.mp4", Clip(7))
    images, times = make.decoded(looped(tmp_path / "looped.mp4", once, 21))
    assert len(images) == 21 and times == [k / RATE for k in range(21)]
    assert np.array_equal(images[1], images[8]) and np.array_equal(images[8], images[15])


def row(frame, label="Coat", box=(0, 0, 10, 10)):
    return {"frame": frame, "label": label, "box": box}


@pytest.mark.parametrize(
    ("found", "wanted", "f1"),
    [
        ([row(0), row(1)], [row(0), row(1)], 1.0),
        ([row(0)], [row(0), row(1)], 2 / 3),
        ([row(0, "Bag")], [row(0)], 0.0),
        ([row(0, box=(0, 0, 10, 4))], [row(0)], 0.0),
        ([row(0, box=(0, 0, 10, 6))], [row(0)], 1.0),
        ([row(0), row(0)], [row(0)], 2 / 3),
        ([], [row(0)], 0.0),
    ],
)
def test_f1_of_rows(tmp_path, found, wanted, f1):
    for name, rows in (("a", found), ("b", wanted)):
        (tmp_path / name).write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert f1_of_rows(tmp_path / "a", tmp_path / "b") == pytest.approx(f1)


def test_ssim_falls_with_noise_and_blur(tmp_path):
    image = make.scene()
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 20, image.shape), 0, 255)
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, noisy.astype(np.uint8)) < 0.5 < ssim(image, blurred) < 0.99
    path = make.clip(tmp_path / "in.mp4")
    assert ssim_of_videos(path, path) == pytest.approx(1)


def test_whole_processes_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "LOOK_SECONDS", 0.01)
    script = "import sys, time; b = bytearray(80_000_000); time.sleep(0.5); "
    script += "open(sys.argv[1], 'wb').write(b'x' * 1000)"
    one = Contestant("one", lambda clip, out: [sys.executable, "-c", script, str(out)])
    runs = compare((one,), tmp_path / "clip.mp4", tmp_path, rounds=2)["one"]
    assert len(runs) == 2 and all(run.seconds > 0.5 and run.size == 1000 for run in runs)
    assert all(80 < run.memory < 160 for run in runs)
    with pytest.raises(measure.subprocess.CalledProcessError):
        measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_table_gives_the_first_one_s_speed_over_each():
    text = table({"ours": [Run(1, 10), Run(2, 10)], "peer": [Run(3, 20), Run(4, 20)]}, frames=100)
    assert "2.50 (2.00 to 3.00)" in text.splitlines()[2]


def test_age_of_what_is_shown_is_read_from_the_picture(monkeypatch):
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    analysis = make_analysis(Recognition(model="deep", locator="none"))
    found = ages(analysis, rate=50, seconds=1)
    assert 0 < found.median <= found.p95 < 2000 and found.unread == 0


def test_the_page_is_measured_as_a_viewer_sees_it(monkeypatch):
    monkeypatch.setattr("realtime.bench.page.WARM_UP", 0.2)
    monkeypatch.setattr("realtime.bench.latency.WARM_UP", 0.2)
    told = page(rate=20, seconds=3, rounds=1)
    first, age, alone = (float(re.search(words, told)[1]) for words in (
        r"first picture after ([\d.]+)", r"age ([\d.]+) ms", r"nobody ([\d.]+)"))  # fmt: skip
    assert 0 < first < 10 and 0 < age < 5000 and 0 < alone < 40


def test_a_soak_accounts_for_every_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(endurance, "BREAK_EVERY", 60)
    told = endurance.soak(tmp_path, 4)
    assert "MB per 10,000 frames" in told and told.endswith(" 0 lost")
    assert int(re.search(r"(\d+) drop-outs", told)[1]) > 2
