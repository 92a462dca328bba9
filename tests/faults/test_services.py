"""Where services start: no home, cache or temporary folder, closed streams, readers that leave."""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import fault
import make
import pytest
from fault import LIGHT
from waiting import until

from preprocessing.errors import SinkError
from realtime.page import uploads
from realtime.runtime.standard_streams import LossyStderr

BARE = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"}
COMMAND = [sys.executable, str(make.ROOT / "run_realtime.py"), *LIGHT]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.moving_clip(tmp_path_factory.mktemp("clip") / "in.mp4")


def shell(line, **options):
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=fault.CAP, **options
    )


def written(folder):
    """The frames of the video, whose rows are nothing but JSON."""
    assert all(json.loads(row) for row in (folder / "rows.jsonl").read_text().splitlines())
    return fault.frames_of(folder / "out.mp4")


@pytest.mark.parametrize("redirections", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_are_no_place_for_an_output(video, tmp_path, redirections):
    flags = [video, "-o", tmp_path / "out.mp4", "--jsonl", tmp_path / "rows.jsonl"]
    done = shell(f"{shlex.join([*COMMAND, *map(str, flags)])} {redirections}")
    assert done.returncode == 0 and written(tmp_path) == 40
    assert done.stdout == "" and "Traceback" not in done.stderr


def test_an_output_to_a_closed_stdout_is_refused(video):
    done = shell(f"{shlex.join([*COMMAND, str(video), '--jsonl', '-'])} 1>&-")
    assert done.returncode == 5 and "stdout is closed" in done.stderr


def test_a_log_reader_that_goes_away_ends_no_recording(video, tmp_path):
    flags = [video, "-o", tmp_path / "out.mp4", "--jsonl", tmp_path / "rows.jsonl"]
    run = shlex.join([*COMMAND, *map(str, flags)])
    done = shell(f"{run} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}")
    assert done.stdout.splitlines()[-1] == "0" and written(tmp_path) == 40


def test_a_log_reader_that_stalls_loses_lines(monkeypatch):
    monkeypatch.setattr(LossyStderr, "_wait", 10)
    end, start = os.pipe()
    os.set_blocking(start, False)
    stream = LossyStderr(os.fdopen(start, "wb"), line_buffering=True)
    line = "a" * 1023 + "\n"
    for _ in range(200):  # a pipe holds 64 KB
        assert stream.write(line) == len(line)
    held = os.read(end, 1 << 20)
    assert 0 < len(held) < 200 * len(line) and set(held.split(b"\n")[:-1]) == {b"a" * 1023}
    stream.write("later\n")
    assert os.read(end, 1 << 20) == b"later\n"
    os.close(end)
    stream.write("nobody\n")
    stream.close()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ""),
        ({"HOME": "/proc/none", "XDG_CACHE_HOME": ""}, "no cache for compiled networks"),
        ({"HOME": "/dev/null"}, "no cache for compiled networks"),
        ({"HOME": "/", "XDG_CACHE_HOME": "/proc/none", "LC_ALL": "C"}, "no cache for compiled"),
        ({"XDG_CACHE_HOME": "cache"}, ""),
    ],
)
def test_bare_environments(video, tmp_path, environment, words):
    """Nothing is written into the checkout or the working directory, which takes nothing."""
    before = names(make.ROOT)
    outputs = ["-o", tmp_path / "out.mp4", "--jsonl", tmp_path / "rows.jsonl"]
    done = subprocess.run(
        [*COMMAND, video, *outputs], env=BARE | environment, cwd="/proc/self", text=True,
        capture_output=True, timeout=fault.CAP,
    )  # fmt: skip
    assert done.returncode == 0 and written(tmp_path) == 40, done.stderr
    assert done.stderr.count(words) == 1 or not words, done.stderr
    assert names(make.ROOT) == before


def names(folder):
    hidden = ("__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache")
    return {
        os.path.join(place, name)
        for place, folders, files in os.walk(folder)
        if not folders.sort() and not any(one in place for one in hidden)
        for name in files
    }


def test_names_that_are_no_utf8(video, tmp_path):
    path = tmp_path / os.fsdecode(b"in\xff.mp4")
    path.write_bytes(video.read_bytes())
    out = tmp_path / os.fsdecode(b"out\xfe")
    out.mkdir()
    outputs = ["-o", out / "out.mp4", "--report", out / "a.html", "--stats", out / "a.json",
               "--log", out / "a.log", "--jsonl", out / "rows.jsonl"]  # fmt: skip
    done = make.app(path, *LIGHT, *outputs, env=BARE | {"LC_ALL": "C"})
    assert done.returncode == 0 and written(out) == 40, done.stderr
    assert "Garments in in" in (out / "a.html").read_text(encoding="utf-8")
    assert "source opened" in (out / "a.log").read_text(encoding="utf-8")


@pytest.fixture
def no_temporary_folder(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])


async def nothing():
    yield b""


def test_without_a_temporary_folder_there_is_a_page_but_no_upload(no_temporary_folder, caplog):
    kept = uploads.Uploads()
    assert caplog.text.count("takes no uploads") == 1
    coroutine = kept.receive(nothing())
    with pytest.raises(SinkError, match="TMPDIR"):
        coroutine.send(None)
    kept.close()


def test_without_a_temporary_folder_a_pipe_that_has_to_be_stored_is_refused(
    tmp_path, no_temporary_folder
):
    clip = make.remuxed(make.clip(tmp_path / "first.mp4"), tmp_path / "in.mp4")
    with subprocess.Popen(["cat", clip], stdout=subprocess.PIPE) as cat:
        done = make.called(f"/dev/fd/{cat.stdout.fileno()}", *LIGHT, "-o", tmp_path / "out.mp4")
    assert done.returncode == 3 and "TMPDIR" in done.stderr, done.stderr


def test_out_of_descriptors_the_recording_goes_on_and_the_page_comes_back(tmp_path):
    """More connections than files may be open; the log has a line for thousands of attempts."""
    flags = ["fake://30fps", "-o", tmp_path / "out.mp4", "--log", tmp_path / "a.log",
             "--serve", "127.0.0.1:0", "--open"]  # fmt: skip
    run = shlex.join([*COMMAND, *map(str, flags)])
    app = make.start("-c", f"ulimit -n 48; exec {run}", command=["bash"])
    address = next(line for line in app.stderr if line.startswith("page: "))
    place = ("127.0.0.1", int(address.rstrip("/\n").rpartition(":")[2]))
    video, log = tmp_path / "out.mp4", tmp_path / "a.log"
    until(lambda: video.exists() and video.stat().st_size > 20_000)
    until(lambda: "latency" in log.read_text())  # by then all networks are loaded
    with ExitStack() as clients:
        for _ in range(80):
            clients.enter_context(socket.create_connection(place, timeout=fault.CAP))
        until(lambda: "out of system resource" in log.read_text())
        size = video.stat().st_size
        until(lambda: video.stat().st_size > size)
    with socket.create_connection(place, timeout=fault.CAP) as client:
        client.sendall(b"GET /state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    app.terminate()
    _, stderr = app.communicate(timeout=fault.CAP)
    assert app.returncode == 143 and "Traceback" not in stderr
    assert len(log.read_text().splitlines()) < 40
    assert fault.frames_of(video) > 10
