"""Expected errors: one line and a status; a bug stays a traceback."""

import errno
import io
import sys

import pytest

from preprocessing import errors
from preprocessing.errors import (
    ClosedPipeError,
    DataError,
    GarmentError,
    exit_status,
    is_out_of_memory,
    printable,
    text_errors,
)


def raising(error):
    def command():
        raise error

    return command


def test_a_command_ends_with_its_own_status():
    assert exit_status(lambda: 3) == 3


@pytest.mark.parametrize("kind", GarmentError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_expected_errors_are_one_line_and_their_status(kind, capsys):
    assert exit_status(raising(kind("no such thing"))) == kind.status
    assert capsys.readouterr().err == "error: no such thing\n"


def test_a_closed_pipe_is_a_status_without_a_message(capsys):
    assert exit_status(raising(ClosedPipeError("the reader took no more"))) == 141
    assert capsys.readouterr().err == ""


def test_names_of_files_stay_in_one_line():
    assert printable("a b é\n\udce9\t%") == "a b é\\n\\udce9\\t%"


def test_statuses_differ():
    statuses = [kind.status for kind in GarmentError.__subclasses__()]
    assert len(set(statuses)) == len(statuses) and min(statuses) > 1


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory"), ImportError("std::bad_alloc")],
)
def test_a_lack_of_memory_is_one_line(error, capsys):
    assert exit_status(raising(error)) == errors.DeviceError.status
    assert "not enough memory" in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError("disk"), ValueError("bug"), ImportError("no module")])
def test_other_errors_are_raised(error):
    with pytest.raises(type(error)):
        exit_status(raising(error))


def test_a_busy_pipe_is_no_lack_of_memory():
    assert not is_out_of_memory(BlockingIOError("Resource temporarily unavailable"))


def test_files_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a\.csv is not UTF-8 text"), text_errors(path):
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_console_takes_any_text(monkeypatch, encoding):
    written = io.BytesIO()
    console = io.TextIOWrapper(written, encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", console)
    assert exit_status(lambda: print("日本 \udcff") or 0) == 0
    assert written.getvalue().decode("utf-8").strip() == "日本 \\udcff"
