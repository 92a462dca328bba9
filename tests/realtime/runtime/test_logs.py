"""Logging of the live app: plain warnings on stderr, every event with its time in a file."""

import logging
import re

import pytest

from preprocessing.errors import SinkError, SourceError
from realtime.runtime.logs import BURST, Formatter, Repeats, logging_to

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


def record(text, *values, level=logging.WARNING):
    return logging.LogRecord("realtime.test", level, "", 0, text, values, None)


def test_a_message_passes_once_in_some_seconds_with_the_count_of_others():
    now = [0.0]
    repeats, formatter = Repeats(clock=lambda: now[0]), Formatter()
    passed = []
    for second in range(25):
        now[0] = second
        one = record("%s is lost", "camera 1")
        if repeats.filter(one):
            assert repeats.filter(one)  # of another handler
            passed.append((second, formatter.format(one)))
    more = " (9 like it were left out)"
    assert passed == [(0, "camera 1 is lost"), (10, "camera 1 is lost" + more),
                      (20, "camera 1 is lost" + more)]  # fmt: skip
    assert repeats.waiting == 4


def test_messages_of_one_kind_pass_up_to_a_burst_errors_all():
    now = [0.0]
    repeats = Repeats(clock=lambda: now[0])
    warnings = [record("back after %.1f s", number) for number in range(100)]
    assert sum(map(repeats.filter, warnings)) == BURST and repeats.waiting == 100 - BURST
    errors = [record("no %d", number, level=logging.ERROR) for number in range(100)]
    assert all(map(repeats.filter, errors))
    now[0] = 11.0
    last = record("back after %.1f s", 7)
    assert repeats.filter(last) and last.left_out == 100 - BURST and repeats.waiting == 0


def test_what_is_left_out_takes_no_memory():
    repeats = Repeats(clock=lambda: 0.0)
    for number in range(5000):
        repeats.filter(record("no %d", number, level=logging.ERROR))
        repeats.filter(record("no %d", number, level=logging.ERROR))
    assert len(repeats._passed) == 1000 and repeats.waiting == 5000


def test_lines_that_no_later_one_has_counted_are_counted_at_the_end(capsys):
    with logging_to(None):
        for _ in range(3):
            logger.warning("source lost")
    assert capsys.readouterr().err == (
        "source lost\n2 log lines were left out: they were repeated\n"
    )
