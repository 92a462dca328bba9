"""Logging of the live app: plain warnings on stderr, every event with its time in a file."""

import logging
import re

import pytest

from preprocessing.errors import SinkError, SourceError
from realtime.runtime.logs import logging_to

logger = logging.getLogger("realtime.test")


def test_a_file_gets_events_with_their_time_and_stderr_the_warnings(tmp_path, capsys):
    path = tmp_path / "app.log"
    with logging_to(path):
        logger.info("source opened")
        logger.warning("source lost")
    assert capsys.readouterr().err == "source lost\n"
    first, second = path.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}"
    assert re.fullmatch(stamp + r" INFO realtime\.test: source opened", first)
    assert re.fullmatch(stamp + r" WARNING realtime\.test: source lost", second)


def test_an_error_is_logged_with_its_traceback(tmp_path, capsys):
    path = tmp_path / "app.log"
    with pytest.raises(SourceError), logging_to(path):
        raise SourceError("no such file")
    text = path.read_text()
    assert "ERROR" in text and "Traceback" in text and "no such file" in text
    assert capsys.readouterr().err == ""  # the command prints its one line


def test_handlers_are_removed_at_the_end(tmp_path):
    before = list(logging.getLogger().handlers)
    with logging_to(tmp_path / "app.log"):
        assert len(logging.getLogger().handlers) == len(before) + 2
    assert logging.getLogger().handlers == before


def test_a_rotated_file_is_opened_again(tmp_path):
    path = tmp_path / "app.log"
    with logging_to(path):
        logger.info("before")
        path.rename(tmp_path / "app.log.1")
        logger.info("after")
    assert "after" in path.read_text() and "before" not in path.read_text()


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(SinkError, match=r"app\.log"), logging_to(tmp_path / "none" / "app.log"):
        pass


def test_a_full_disk_is_reported_once(capsys):
    with logging_to("/dev/full"):
        logger.info("one")
        logger.info("two")
    assert capsys.readouterr().err.count("cannot write the log") == 1
