"""The command line: whole processes, their output files and exit statuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import make
import numpy as np
import pytest
from fault import LIGHT
from waiting import DEADLINE, until

from realtime import settings
from realtime.analysis import engines, locators, trackers
from realtime.sources.open_source import open_source
from training.inference.weights import read_manifest

FRAGMENT = 120  # frames that the encoder and the container may keep back


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.moving_clip(tmp_path_factory.mktemp("clip") / "in.mp4")


@pytest.fixture(scope="module")
def long_video(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    return make.moving_clip(path, size=(640, 480), repeats=150, audio=True)


def test_names_in_the_help_are_those_of_the_tables():
    assert tuple(trackers.TRACKERS) == settings.TRACKER_NAMES
    assert ("auto", *engines.ENGINES) == settings.ENGINE_NAMES


def test_committed_models_are_listed():
    done = make.called("--list-models")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.strip().splitlines()
    assert [row.split()[0] for row in rows] == sorted(read_manifest())
    assert header.split()[0] == "model" and "accuracy 0.95" in done.stdout


def test_a_file_with_every_sink(video, tmp_path):
    done = make.app(
        "--model", "deep", "--video", video, "-o", tmp_path / "out.mp4",
        "--jsonl", tmp_path / "rows.jsonl",
        "--snapshots", tmp_path / "shots", "--stats", tmp_path / "stats.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    images, times = make.decoded(tmp_path / "out.mp4")
    assert len(images) == 40 and times == make.decoded(video)[1]
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert {row["frame"] for row in rows} == set(range(40))
    assert {row["track"] for row in rows} == {1}
    x1, y1, x2, y2 = rows[0]["box"]
    assert x1 == pytest.approx(64, abs=12) and x2 == pytest.approx(256, abs=12)
    assert y1 == pytest.approx(48, abs=12) and y2 == pytest.approx(192, abs=12)
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["frames"] == {"read": 40, "written": 40, "dropped": 0, "failed": 0}
    assert set(stats["stages_ms"]) == {
        "decode", "gate", "locate", "classify", "describe", "track", "draw", "write",
    }  # fmt: skip
    assert "40 written" in done.stderr
    assert list((tmp_path / "shots").glob("*.png"))


@pytest.mark.parametrize("name", locators.LOCATORS)
def test_every_locator_runs(video, tmp_path, name):
    done = make.app("--video", video, "-o", tmp_path / "out.mp4", "--locate", name)
    assert done.returncode == 0, done.stderr
    assert len(make.decoded(tmp_path / "out.mp4")[0]) == 40


def test_a_picture_in_a_picture_out(tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), make.scene())
    done = make.app("--video", tmp_path / "in.png", "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    before, after = cv2.imread(str(tmp_path / "in.png")), cv2.imread(str(tmp_path / "out.png"))
    assert before.shape == after.shape and (before != after).any()


def test_pictures_into_a_folder_keep_their_names(tmp_path):
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(tmp_path / name), make.scene())
    out, rows = tmp_path / "out", tmp_path / "rows"
    done = make.app(tmp_path / "a.jpg", tmp_path / "b.png", "-o", out, "--jsonl", rows, *LIGHT)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg", "b.png"]
    assert sorted(path.name for path in rows.iterdir()) == ["a.jsonl", "b.jsonl"]
    after = cv2.imread(str(out / "b.png"))
    assert after.shape == (240, 320, 3) and (after != make.scene()).any()


def test_pictures_without_an_output_are_printed(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), make.scene())
    cv2.imwrite(str(tmp_path / "b.png"), np.full((240, 320, 3), 200, np.uint8))
    done = make.app(tmp_path / "a.png", tmp_path / "b.png", *LIGHT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [lines[0], lines[2:]] == ["a.png: 1 garment", ["b.png: no garments"]]
    name, *_, box = lines[1].strip().split(", ")
    assert name.split()[-1] <= "1.00" and "written" not in done.stdout
    found = [int(side) for side in box.removeprefix("box ").split()]
    assert found == pytest.approx([64, 48, 256, 192], abs=12)


def test_a_folder_of_pictures_says_what_it_leaves_out(tmp_path):
    for number in (1, 2, 10):
        image = make.picture(number, width=320, height=240)
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), image)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "frame3.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    done = make.app(tmp_path, "-o", tmp_path / "out.mp4", "--model", "deep", "--locate", "none")
    assert done.returncode == 0, done.stderr
    images, times = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in images] == [1, 2, 10]
    assert [float(time) for time in times] == [0, 0.04, 0.12]  # a gap for the unreadable one
    assert "left out: 1 other file (notes.txt)" in done.stderr
    assert "frame3.heic" in done.stderr and "1 failed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--video", "missing.mp4", "-o", "out.mp4"], 3, "no such file"),
        (["--video", "text.mp4", "-o", "out.mp4"], 3, "not a video"),
        (["--video", "sound.m4a", "-o", "out.mp4"], 3, "no video stream"),
        (["--camera", "63", "-o", "out.mp4"], 3, "no camera 63"),
        (["--video", "in.mp4", "-o", "in.mp4"], 5, "is the input"),
        (["--video", "in.mp4", "-o", "none/out.mp4"], 5, "no folder"),
        (["--video", "in.mp4", "-o", "out.xyz"], 5, "unknown kind"),
        (["--video", "in.mp4", "--show"], 5, "no display"),
        (["--video", "in.mp4", "-o", "out.mp4", "--label-threshold", "1.5"], 2, "0 to 1"),
        (["--video", "in.mp4", "-o", "out.mp4", "--threads", "0"], 2, "--threads"),
        (["--camera", "-1", "-o", "out.mp4"], 2, "--camera"),
        (["--video", "in.mp4", "-o", "out.mp4", "--locate", "magic"], 2, "magic"),
        (["--video", "in.mp4", "-o", "out.mp4", "--model", "resnet9000"], 6, "deep"),
        (["--video", "in.mp4", "-o", "out.mp4", "--model", "no.onnx"], 6, "no.onnx"),
        (["--video", "in.mp4", "-o", "out.mp4", "--only", "hat", "--locate", "green"], 2,
         "--locate yolo"),
        (["--video", "in.mp4", "-o", "out.mp4", "--engine", "openvino", "--device", "cuda"], 7,
         "--engine torch"),
        (["--video", "in.mp4", "-o", "out.mp4", "--engine", "onnxruntime", "--precision", "fp16"],
         7, "--precision auto"),
        (["--video", "in.mp4", "-o", "out.mp4", "--precision", "int8"], 6,
         "python -m training.compress --model photo --to int8"),
    ],
)  # fmt: skip
def test_one_line_and_a_status(video, tmp_path, monkeypatch, arguments, status, words):
    (tmp_path / "in.mp4").write_bytes(video.read_bytes())
    (tmp_path / "text.mp4").write_text("no video here")
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as container:
        make.add_sound(container, container.add_stream("aac", rate=16000), seconds=1)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    done = make.called(*arguments, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    if status != 2:
        assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (tmp_path / "in.mp4").read_bytes() == video.read_bytes()


def test_a_truncated_file_keeps_its_frames(tmp_path):
    path = make.clip(tmp_path / "in.mp4", frames=200, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = make.app("--video", path, "-o", tmp_path / "out.mp4", *LIGHT)
    count = len(make.decoded(tmp_path / "out.mp4")[0])
    assert done.returncode == 4 and f"{count} of 200 frames" in done.stderr and count > 10


def test_a_full_disk_keeps_what_is_there(long_video, tmp_path):
    limit = "import resource, signal, sys, runpy;signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000));"
    flags = ["x", "--video", str(long_video), "-o", str(tmp_path / "out.mp4"), *LIGHT]
    limit += f"sys.argv = {flags!r};"
    limit += f"runpy.run_path({str(make.ROOT / 'run_realtime.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", limit],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=make.ROOT,
    )
    assert done.returncode == 5, done.stderr
    assert "cannot write" in done.stderr and "Traceback" not in done.stderr
    assert playable_frames(tmp_path / "out.mp4") > 30


def start(video, out, *flags):
    process = make.start("--video", video, "-o", out, *LIGHT, *flags)
    until(lambda: (out.exists() and out.stat().st_size > 20_000) or process.poll() is not None)
    assert process.poll() is None
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_file(long_video, tmp_path, number):
    process = start(long_video, tmp_path / "out.mp4")
    process.send_signal(number)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + number, errors
    written = len(make.decoded(tmp_path / "out.mp4")[0])
    assert f"{written} written" in errors and 0 < written < 6000


def test_a_stopped_run_s_sound_ends_with_its_picture(long_video, tmp_path):
    process = start(long_video, tmp_path / "out.mp4")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    end = make.decoded(tmp_path / "out.mp4")[1][-1]
    assert abs(make.sound_packets(tmp_path / "out.mp4")[-1][0] - end) < 0.2 and end < 190


@pytest.mark.parametrize("frames", [1, 30, 77, 150, 333])
def test_kill_leaves_a_playable_file(long_video, tmp_path, frames):
    rows = tmp_path / "rows.jsonl"
    # On this ground the locator finds something in every frame.
    process = start(long_video, tmp_path / "out.mp4", "--jsonl", rows)
    until(lambda: frames_in(rows) >= frames + FRAGMENT)
    process.kill()
    process.communicate(timeout=DEADLINE)
    assert playable_frames(tmp_path / "out.mp4") >= frames


def playable_frames(path):
    """Frames that a player shows, which skips an incomplete one at the end."""
    with open_source(str(path)) as source:
        return sum(1 for _ in source._pictures())


def frames_in(rows):
    """Frames that have complete rows, which are written after the video."""
    return len({json.loads(line)["frame"] for line in rows.read_text().splitlines()[:-1]})


def test_a_window_on_a_virtual_screen(video, tmp_path):
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb: install Debian's package xvfb")
    command = ["xvfb-run", "-a", sys.executable, str(make.ROOT / "run_realtime.py")]
    command += ["--video", str(video), "--show", "--jsonl", str(tmp_path / "rows.jsonl"), *LIGHT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0 and "40 written" in done.stderr, done.stderr
    assert "no display" not in done.stderr


def test_without_a_display_other_sinks_are_written(video, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = make.app("--video", video, "--show", "-o", tmp_path / "out.mp4", *LIGHT, env=environment)
    assert done.returncode == 0 and "running without the window" in done.stderr


def test_help_and_start_without_heavy_imports(video, tmp_path):
    script = (
        "import sys; from realtime.cli import main; "
        f"status = main(['--video', {str(video)!r}, '-o', {str(tmp_path / 'out.mp4')!r}]); "
        "heavy = {'torch', 'onnxruntime', 'lightning', 'ultralytics', 'matplotlib', "
        "'scipy', 'PIL'} & "
        "set(sys.modules); "
        "assert status == 0 and not heavy, (status, heavy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=make.ROOT,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    light = "import sys; from realtime.cli import read_settings; read_settings([]); "
    light += "assert 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", light], cwd=make.ROOT).returncode == 0


def test_a_part_of_a_file_with_every_kind_of_output(long_video, tmp_path):
    rows, cues = tmp_path / "rows.jsonl", tmp_path / "cues.srt"
    done = make.app(
        long_video, "--start", "2:59", "--end", "00:03:00.5", "-o", tmp_path / "out.mp4",
        "--jsonl", rows, "--srt", cues, *LIGHT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    images, times = make.decoded(tmp_path / "out.mp4")
    assert len(images) == 45 and times == [Fraction(n, 30) for n in range(45)]
    shown = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [shown[0]["frame"], shown[0]["time"], shown[-1]["frame"]] == [0, 0, 44]
    assert cues.read_text().startswith("1\n00:00:00,000 --> 00:00:01,500\n")
    sound = [start for start, _ in make.sound_packets(tmp_path / "out.mp4")]
    assert -0.064 < sound[0] <= 0 and 1.4 < sound[-1] < 1.5


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (("--start", "5", "--end", "4"), 2, "--end 0:00:04.000 must be after --start 0:00:05.000"),
        (("--start", "soon"), 2, "--start: must be seconds or h:mm:ss, got 'soon'"),
        (("--start", "1:00"), 3, "--start 0:01:00.000 is beyond the end of"),
    ],
)
def test_parts_that_are_none(video, tmp_path, flags, status, message):
    done = make.app(video, *flags, "--csv", tmp_path / "rows.csv", *LIGHT)
    assert done.returncode == status and message in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "rows.csv").exists()
