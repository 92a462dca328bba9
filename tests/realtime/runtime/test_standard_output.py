"""Commands in pipes: nothing but the output on stdout, true exit statuses."""

import io
import json
import subprocess
import sys

import av
import make
import pytest

LIGHT = ("--model", "deep", "--locate", "segment")
COMMAND = [sys.executable, str(make.ROOT / "run_realtime.py"), *LIGHT]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.moving_clip(tmp_path_factory.mktemp("clip") / "in.mp4", audio=True)


def piped(*arguments, given=b""):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], input=given, capture_output=True, timeout=120
    )


def test_a_video_in_by_a_pipe_and_out_by_a_pipe(video):
    done = piped("--video", "-", "-o", "-", given=video.read_bytes())
    assert done.returncode == 0, done.stderr
    with av.open(io.BytesIO(done.stdout)) as container:
        kinds = [stream.codec_context.name for stream in container.streams]
        counts = dict.fromkeys(range(2), 0)
        for packet in container.demux():
            counts[packet.stream.index] += bool(packet.size)
    assert kinds == ["h264", "aac"]
    assert counts == {0: 40, 1: len(make.sound_packets(video))}


def test_rows_and_figures_on_stdout(video, tmp_path):
    done = piped(video, "--jsonl", "-", "--srt", tmp_path / "out.srt")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["frame"] for row in rows} == set(range(40)), done.stderr
    assert json.loads(piped(video, "--stats", "-").stdout)["frames"]["read"] == 40
    assert piped(video, "--srt", "-").stdout == (tmp_path / "out.srt").read_bytes()


def test_a_reader_that_takes_no_more_ends_the_run(video, tmp_path):
    command = [*COMMAND, str(video), "--jsonl", "-", "--stats", str(tmp_path / "stats.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        problems = process.stderr.read()
    # All of its rows may fit into the pipe before the reader has gone.
    assert process.returncode in (0, 141) and b"error" not in problems, problems
    assert (tmp_path / "stats.json").exists()


def test_a_closed_stdout_is_no_bug():
    with subprocess.Popen(
        [*COMMAND, "--list-models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        problems = process.stderr.read()
    assert (process.returncode, problems) == (141, b"")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["{video}", "-o", "-", "--jsonl", "-"], 2, "both go to stdout"),
        (["{video}", "--parquet", "-"], 5, "--parquet cannot go to stdout"),
        (["{video}", "{video}", "-o", "-"], 2, "several sources"),
        (["-", "-", "-o", "x.mp4"], 2, "give - once"),
        (["-", "-o", "x.mp4"], 3, "nothing came from stdin"),
        (["{video}", "-o", "http://127.0.0.1/x"], 2, "cannot send"),
        (["{video}", "--csv", "udp://127.0.0.1:9"], 2, "only the video"),
    ],
)
def test_what_cannot_be(video, arguments, status, words):
    done = piped(*(one.format(video=video) for one in arguments))
    assert done.returncode == status and words in done.stderr.decode(), done.stderr


def test_the_file_on_stdin_is_an_input(video, tmp_path):
    path = tmp_path / "in.mp4"
    path.write_bytes(video.read_bytes())
    with path.open("rb") as file:
        done = subprocess.run(
            [*COMMAND, "-", "-o", str(path)], stdin=file, capture_output=True, timeout=120
        )
    assert done.returncode == 5 and b"is the input" in done.stderr
    with path.open("ab") as file:
        done = subprocess.run(
            [*COMMAND, str(path), "-o", "-"], stdout=file, stderr=subprocess.PIPE, timeout=120
        )
    assert done.returncode == 5 and b"is the input" in done.stderr
    assert path.read_bytes() == video.read_bytes()


def test_a_pattern_or_folder_of_one_file_is_as_of_many(video, tmp_path):
    for given, out in ((f"{video.parent}/*.mp4", "a"), (video.parent, "b")):
        assert piped(given, "-o", tmp_path / out).returncode == 0
        assert [path.name for path in (tmp_path / out).iterdir()] == ["in.mp4"]
