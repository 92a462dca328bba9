"""Flags of the live app: their settings, old spellings, and the errors of wrong ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from preprocessing.errors import UsageError
from realtime.flags import argument_parser, read_settings
from realtime.runtime.standard_output import STDOUT
from realtime.settings import Recognition, Settings, SourceSettings
from realtime.sinks.sink_table import OutputSettings
from realtime.sources import DEMO


def test_no_flags_are_the_default_settings():
    assert read_settings([]) == Settings()


@pytest.mark.parametrize(
    ("argv", "addresses"),
    [
        ([], ()),
        (["clip.mp4"], ("clip.mp4",)),
        (["--video", "clip.mp4"], ("clip.mp4",)),
        (["-o", "out", "a.mp4", "--jsonl", "rows", "b.mp4"], ("a.mp4", "b.mp4")),
        (["0"], (0,)),
        (["--camera", "2"], (2,)),
        (["0", "rtsp://host/1"], (0, "rtsp://host/1")),
        (["./0"], ("./0",)),
        (["--demo"], (str(DEMO),)),
        (["--video", "-"], ("-",)),
        (["RTSP://Host/1"], ("rtsp://Host/1",)),
        (["file:///a%20b.mp4"], ("/a b.mp4",)),
    ],
)
def test_sources(argv, addresses):
    assert read_settings(argv).source == SourceSettings(addresses=addresses)


def test_outputs_that_are_no_files():
    assert read_settings(["-o", "-"]).outputs == OutputSettings(paths={"out": STDOUT})
    assert read_settings(["-o", "./-"]).outputs == OutputSettings(paths={"out": Path("-")})
    assert read_settings(["-o", "RTMP://host/a"]).outputs == OutputSettings(stream="rtmp://host/a")
    assert read_settings(["-o", "a:b.mp4"]).outputs == OutputSettings(
        paths={"out": Path("a:b.mp4")}
    )
    assert bool(OutputSettings(stream="rtmp://host/a"))


@pytest.mark.parametrize(
    "argv", [["--csv", "udp://h:1"], ["-o", "foo://h"], ["--log", "-"], ["-", "-"]]
)
def test_outputs_that_cannot_be(argv, capsys):
    with pytest.raises(SystemExit):
        read_settings(argv)
    assert capsys.readouterr().err.startswith("error: ")


def test_outputs():
    settings = read_settings(["-o", "out.mp4", "--no-audio", "--srt", "a.srt"])
    paths = {"out": Path("out.mp4"), "srt": Path("a.srt")}
    assert settings.outputs == OutputSettings(paths=paths, audio=False)


@pytest.mark.parametrize(
    ("argv", "changes"),
    [
        (["--demo"], {"model": "deep"}),
        (["--locate", "yolo"], {"locator": "yolo", "model": "yolo-names"}),
        (["--locate", "yolo", "--model", "photo"], {"locator": "yolo"}),
        (["--only", "hat,bag"], {"only": ("hat", "bag")}),
        (["--no-pose"], {"pose": False}),
        (["--names", "kinds"], {"names": "kinds"}),
    ],
)
def test_recognition(argv, changes):
    assert read_settings(argv).recognition == replace(Recognition(), **changes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--name-by", "detector"], ["--label-source", "locator"]),
        (["--name-by", "both"], ["--label-source", "both"]),
        (["--confidence", "0.3"], ["--detection-confidence", "0.3"]),
        (["--threshold=0.7"], ["--label-threshold", "0.7"]),
        (["--joints"], ["--pose"]),
        (["--no-joints"], ["--no-pose"]),
    ],
)
def test_old_spellings_still_work_but_are_not_shown(old, new):
    assert read_settings(old) == read_settings(new) != read_settings([])
    assert old[0].partition("=")[0] + " " not in argument_parser().format_help()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--source", "clip.mp4"], "unknown flag --source: did you mean `--video`?"),
        (["-i", "clip.mp4"], "did you mean `--video`?"),
        (["clip.mp4", "--output", "out.mp4"], "unknown flag --output: did you mean `-o`?"),
        (["clip.mp4", "--save=out.mp4"], "unknown flag --save: did you mean `-o`?"),
        (["--conf", "0.3"], "did you mean `--detection-confidence`?"),
        (["--weights", "deep"], "did you mean `--model`?"),
        (["--engin", "torch"], "did you mean `--engine`?"),
        (["--sho"], "did you mean `--show`?"),
        (["-y"], "unknown flag -y (flags: run_realtime.py --help)"),
        (["--locate", "magic"], "invalid choice: 'magic'"),
        (["--camera", "1", "clip.mp4"], "give one of SOURCE, --camera and --demo"),
        (["-o"], "expected one argument"),
    ],
)
def test_wrong_flags_are_one_line(argv, words, capsys):
    with pytest.raises(SystemExit) as ended:
        read_settings(argv)
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and len(lines) == 1
    assert lines[0].startswith("error: ") and words in lines[0]


@pytest.mark.parametrize(
    "argv",
    [
        ["--label-threshold", "1.5"],
        ["--label-threshold", "nan"],
        ["--detection-confidence", "-1"],
        ["--threads", "0"],
        ["--reconnect", "-1"],
        ["--camera", "-1"],
    ],
)
def test_numbers_out_of_range(argv):
    with pytest.raises(UsageError, match=argv[0]):
        read_settings(argv)


def test_the_help_fits_a_terminal_and_names_every_group(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = argument_parser().format_help()
    assert max(map(len, text.splitlines())) <= 80
    for words in ("source", "output", "recognition", "speed", "examples", "exit status"):
        assert words in text


def test_frames_far_apart_wait_for_their_labels():
    """Optical flow does not lead from one to the next."""
    assert read_settings(["a.mp4"]).recognition.latency == "auto"
    assert read_settings(["a.mp4", "--latency", "live"]).recognition.latency == "live"
    assert read_settings(["a.mp4", "--every", "60"]).recognition.latency == "exact"
