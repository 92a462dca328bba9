"""Outputs that cannot be written, are taken away, or are cut short by a signal."""

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fault
import make
import pytest
from fault import LIGHT, Fault
from waiting import until

from preprocessing.errors import DeviceError, SinkError
from preprocessing.images.pictures import write_image

IN = ["--video", "in.mp4", *LIGHT]
TEXTS = ("--jsonl", "--csv", "--srt", "--vtt")


def clip(folder: Path) -> None:
    make.moving_clip(folder / "in.mp4")


def onto(*flags):
    """A good clip, and outputs that are not."""

    def build(folder: Path) -> list:
        clip(folder)
        return [*IN, *flags]

    return build


def prepared(prepare, *flags):
    """The same, in a folder that something was done to."""

    def build(folder: Path) -> list:
        clip(folder)
        prepare(folder)
        return [*IN, *flags]

    return build


FAULTS = [
    Fault("the input itself", onto("-o", "in.mp4"), 5, "is the input"),
    Fault("the input by another name", prepared(lambda f: (f / "a.mp4").symlink_to(f / "in.mp4"),
          "-o", "a.mp4"), 5, "is the input"),
    Fault("a folder", prepared(lambda f: (f / "a.mp4").mkdir(), "-o", "a.mp4"), 5, "is a folder"),
    Fault("no folder", onto("-o", "none/a.mp4"), 5, "mkdir -p none"),
    Fault("a kind nobody knows", onto("-o", "a.xyz"), 5, "unknown kind"),
    Fault("a FIFO", prepared(lambda f: os.mkfifo(f / "a.mp4"), "-o", "a.mp4"), 5, "no plain file"),
    Fault("a link to nowhere", prepared(lambda f: (f / "a.mp4").symlink_to(f / "none/b.mp4"),
          "-o", "a.mp4"), 5, "a.mp4"),
    Fault("a file where the snapshots go", prepared(lambda f: (f / "s").write_text(""),
          "--snapshots", "s"), 5, "cannot write"),
    Fault("a file where the crops go", prepared(lambda f: (f / "s").write_text(""),
          "--crops", "s"), 5, "--crops DIR"),
    Fault("a file where Parquet's parts go", prepared(
          lambda f: (f / "a.parquet.parts").write_text(""), "--parquet", "a.parquet"), 5,
          "cannot write"),
    *(Fault(f"full disk, {flag}", onto(flag, "/dev/full"), 5, "/dev/full") for flag in TEXTS),
    Fault("full disk, stats", onto("--jsonl", "a.jsonl", "--stats", "/dev/full"), 5, "/dev/full"),
    Fault("full disk, report", onto("--report", "/dev/full"), 5, "no plain file"),
    Fault("no output and several videos",
          lambda f: (clip(f), ["--video", "in.mp4", "in.mp4"])[1], 2, "FOLDER"),
    Fault("out of range", onto("-o", "out.mp4", "--label-threshold", "nan"), 2,
          "--label-threshold"),
    Fault("no number", onto("-o", "out.mp4", "--threads", "many"), 2, "--threads"),
    Fault("reconnect before the clock", onto("-o", "out.mp4", "--reconnect", "-1"), 2,
          "--reconnect"),
    Fault("no engine of that name", onto("-o", "out.mp4", "--engine", "steam"), 2, "steam"),
]  # fmt: skip


def pictures(folder: Path) -> None:
    """A folder of two pictures and a note, with their links beside it."""
    (folder / "pics").mkdir()
    for name in ("1.png", "2.png"):
        write_image(folder / "pics" / name, make.scene())
    (folder / "pics" / "notes.txt").write_text("mine")
    os.link(folder / "pics" / "notes.txt", folder / "link.txt")


def another_run(folder: Path) -> None:
    (folder / "old").mkdir()
    for name in ("000001.jpg", "crops.csv", "frame-000001.png"):
        (folder / "old" / name).write_text("of another run")


def with_pictures(*flags):
    """The folder as the source of a run."""

    def build(folder: Path) -> list:
        pictures(folder)
        return ["pics", *LIGHT, *flags]

    return build


ONE_FOLDER = ["--video", "in.mov", "in.mp4", *LIGHT]
REFUSED = [
    Fault("a hard link", prepared(lambda f: os.link(f / "in.mp4", f / "a.mp4"), "-o", "a.mp4"), 5,
          "is the input"),
    Fault("other letters", onto("-o", "IN.MP4"), 5, "is the input"),
    Fault("by way of a folder", onto("--jsonl", "../{folder}/in.mp4"), 5, "is the input"),
    Fault("the log", onto("--log", "in.mp4", "--jsonl", "a.jsonl"), 5, "is the input"),
    Fault("the statistics", onto("--stats", "in.mp4"), 5, "is the input"),
    Fault("the weights", prepared(lambda f: (f / "w.onnx").write_text("weights"), "--model",
          "w.onnx", "--jsonl", "w.onnx"), 5, "is the input"),
    Fault("two outputs", onto("--jsonl", "rows", "--csv", "rows"), 2, "same file"),
    Fault("an output and the log", onto("--jsonl", "rows", "--log", "rows"), 2, "same file"),
    Fault("a picture of the folder", with_pictures("-o", "pics/2.png"), 5,
          "a file of the input folder"),
    Fault("a note in the folder", with_pictures("--csv", "pics/notes.txt"), 5,
          "a file of the input folder"),
    Fault("a link to it", with_pictures("--csv", "link.txt"), 5,
          "a file of the input folder"),
    Fault("crops into the folder", with_pictures("--crops", "pics"), 5,
          "is the input"),
    Fault("a pattern", lambda f: (pictures(f), ["pics/*.png", *LIGHT, "-o", "pics"])[1],
          5, "is the input"),
    Fault("videos of one stem, their own folder", lambda f: (clip(f), make.clip(f / "in.mov"),
          [*ONE_FOLDER, "-o", "."])[2], 5, "is the input"),
    Fault("a folder of videos, itself", lambda f: (clip(f), make.clip(f / "in.mov"),
          [".", *LIGHT, "-o", "."])[2], 5, "input"),
    Fault("crops of another run", prepared(another_run, "--crops", "old"), 5, "another run"),
    Fault("snapshots of another run", prepared(another_run, "--snapshots", "old"), 5,
          "another run"),
    Fault("an old file beside one that cannot be", prepared(
          lambda f: (f / "old.jsonl").write_text("old"), "--jsonl", "old.jsonl", "--report",
          "none/a.html"), 5, "no folder"),
    Fault("an old file beside one of no kind", prepared(
          lambda f: (f / "old.jsonl").write_text("old"), "--jsonl", "old.jsonl", "-o", "a.xyz"),
          5, "unknown kind"),
]  # fmt: skip


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused_before_anything_is_written(case, tmp_path):
    before: dict[str, bytes] = {}

    def build(folder):
        flags = [str(flag).format(folder=folder.name) for flag in case.build(folder)]
        before.update(content(folder))
        return flags

    fault.check(dataclasses.replace(case, build=build), tmp_path, make.called)
    assert content(tmp_path) == before


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_fault(case, tmp_path):
    fault.check(case, tmp_path, make.called)
    assert fault.frames_of(tmp_path / "in.mp4") == 40


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only_folder(tmp_path):
    def lock(folder):
        (folder / "s").mkdir(mode=0o500)

    fault.check(Fault("read-only", prepared(lock, "-o", "s/a.mp4"), 5, "permissions"), tmp_path)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return make.moving_clip(path, size=(640, 480), repeats=150, audio=True)


def started(video, folder, *flags, writes="out.mp4"):
    """A run that has begun to write its video."""
    app = make.start("--video", video, "-o", folder / "out.mp4", *LIGHT, *flags)
    until(lambda: size_of(folder / writes) > 20_000 or app.poll() is not None)
    assert app.poll() is None, app.stderr.read()
    return app


def size_of(path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_at_a_random_moment(long_clip, tmp_path, number, attempt):
    flags = ("--parquet", tmp_path / "a.parquet", "--report", tmp_path / "a.html")
    app = started(long_clip, tmp_path, *flags)
    time.sleep(random.Random(attempt).uniform(0, 0.7))
    app.send_signal(number)
    _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 128 + number and "Traceback" not in stderr
    assert f"{fault.frames_of(tmp_path / 'out.mp4')} written" in stderr
    assert (tmp_path / "a.parquet").is_file() and "</html>" in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_output_that_exists_stays_until_the_new_one_is_whole(long_clip, tmp_path, number):
    """Neither Ctrl-C nor a kill makes it whole; the part plays, and Ctrl-C finishes it."""
    old, rows = make.clip(tmp_path / "out.mp4", frames=7).read_bytes(), tmp_path / "a.jsonl"
    rows.write_text("old\n")
    app = started(long_clip, tmp_path, "--jsonl", rows, writes="out.part.mp4")
    app.send_signal(number)
    _, stderr = app.communicate(timeout=fault.CAP)
    assert (tmp_path / "out.mp4").read_bytes() == old and rows.read_text() == "old\n"
    written, part = fault.frames_of(tmp_path / "out.part.mp4"), tmp_path / "a.part.jsonl"
    assert written > 0 and part.read_text().startswith("{")
    if number == signal.SIGINT:
        assert f"{written} written" in stderr and "(new: out.part.mp4)" in stderr


def test_ctrl_c_is_the_end_of_a_camera(tmp_path):
    make.clip(tmp_path / "out.mp4", frames=7)
    app = started("fake://30fps", tmp_path, writes="out.part.mp4")
    app.send_signal(signal.SIGINT)
    _, stderr = app.communicate(timeout=fault.CAP)
    assert f"{fault.frames_of(tmp_path / 'out.mp4')} written" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_second_signal_ends_at_once(long_clip, tmp_path):
    app = started(long_clip, tmp_path)
    app.send_signal(signal.SIGINT)
    time.sleep(0.01)  # two at the very same moment crash in native code: see the README's limits
    app.send_signal(signal.SIGTERM)
    app.communicate(timeout=fault.CAP)
    # Forced by the handler, or after the first one's work by the signal itself: a shell says 143.
    assert app.returncode in (130, 143, -signal.SIGTERM)
    assert fault.frames_of(tmp_path / "out.mp4") > 0


def test_output_folder_removed_while_running(long_clip, tmp_path):
    folder = tmp_path / "outputs"
    folder.mkdir()
    app = started(long_clip, folder, "--jsonl", folder / "a.jsonl", "--report", folder / "a.html")
    shutil.rmtree(folder)
    app.send_signal(signal.SIGINT)
    _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 5 and "Traceback" not in stderr
    assert "cannot write" in stderr and "a.html" in stderr


@pytest.mark.parametrize("kept", [True, False])
def test_display_lost(long_clip, tmp_path, kept):
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb: install Debian's package xvfb")
    read, write = os.pipe()
    display = make.start("-displayfd", write, command=["Xvfb"], pass_fds=[write],
                         stderr=subprocess.DEVNULL)  # fmt: skip
    number = os.read(read, 16).decode().strip()
    outputs = ["-o", tmp_path / "out.mp4"] if kept else []
    log = tmp_path / "app.log"
    app = make.start("--video", long_clip, "--show", "--log", log, *outputs, *LIGHT,
                     env=os.environ | {"DISPLAY": f":{number}"})  # fmt: skip
    until(lambda: size_of(log) and "source opened" in log.read_text())  # so is the window
    display.kill()
    lines = [app.stderr.readline()]
    while "display is lost" not in lines[-1]:
        lines.append(app.stderr.readline())
        assert lines[-1], lines
    if kept:
        before = size_of(tmp_path / "out.mp4")
        until(lambda: size_of(tmp_path / "out.mp4") > before)
        app.send_signal(signal.SIGINT)
    lines.append(app.communicate(timeout=fault.CAP)[1])
    assert app.returncode == (128 + signal.SIGINT if kept else SinkError.status)
    assert "Traceback" not in "".join(lines)
    if kept:
        assert f"{fault.frames_of(tmp_path / 'out.mp4')} written" in lines[-1]


def test_memory_that_does_not_suffice(tmp_path):
    clip(tmp_path)
    limit = 700 * 2**20  # enough to start Python, too little for the networks
    script = f"ulimit -v {limit // 1024}; exec {sys.executable} {make.ROOT}/run_realtime.py "
    script += f"--video {tmp_path}/in.mp4 -o {tmp_path}/out.mp4 --model photo"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=fault.CAP)
    assert done.returncode == DeviceError.status and "Traceback" not in done.stderr, done.stderr
    assert "not enough memory" in done.stderr
