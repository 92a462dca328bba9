"""Passwords in addresses: none is shown."""

import logging

import pytest

from realtime.batch.several import file_names
from realtime.runtime.logs import logging_to
from realtime.runtime.masking import masked, without_login


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://u:secret@host/live", "rtsp://u:***@host/live"),
        ("rtsp://u:sec@ret@host:554/live", "rtsp://u:***@host:554/live"),
        ("rtsp://u:sec/ret@host", "rtsp://u:***@host"),
        ("RTSPS://:1234@host", "RTSPS://:***@host"),
        ("http://host:8080/cam?user=u&password=secret&n=1", "http://host:8080/cam?user=u&password=***&n=1"),
        ("rtmp://host/live/secret-key", "rtmp://host/live/***"),
        ("'rtmps://u:pw@host/app/secret?x=1' broke", "'rtmps://u:***@host/app/***?x=1' broke"),
        ("[Errno 5] broken: 'rtsp://u:secret@host/live'", "[Errno 5] broken: 'rtsp://u:***@host/live'"),
        # Nothing is hidden where nothing is secret.
        ("rtsp://host:554/a@b", "rtsp://host:554/a@b"),
        ("rtsp://u@host/live", "rtsp://u@host/live"),
        ("rtmp://host/live", "rtmp://host/live"),
        ("folder/a:b@c.mp4", "folder/a:b@c.mp4"),
    ],
)  # fmt: skip
def test_passwords_are_masked(text, shown):
    assert masked(text) == shown and masked(shown) == shown


def test_files_are_not_named_by_who_logs_in():
    addresses = ["rtsp://u:secret@host/live", "rtsp://u:secret@other", "http://h/cam?pwd=secret"]
    assert file_names(addresses) == ["live", "other", "cam"]
    assert without_login("rtsp://u:secret@host/live") == "rtsp://host/live"
    assert without_login("rtmp://host/live/secret-key") == "rtmp://host/live"


def test_logs_hold_no_password_not_even_in_a_traceback(tmp_path, capsys):
    def fail():
        raise OSError("cannot read rtsp://u:secret@host/live")

    path = tmp_path / "log.txt"
    with pytest.raises(OSError, match="secret"), logging_to(path):
        logging.getLogger("realtime.test").warning("lost %s", "rtsp://u:secret@host/live")
        fail()
    lines = path.read_text()
    assert "lost rtsp://u:***@host/live" in lines and "Traceback" in lines
    assert "secret" not in lines.replace('match="secret"', "") + capsys.readouterr().err
