"""Webhooks: each event at least once, in order, whatever the receiver does."""

import base64
import hashlib
import hmac
import json

import make
import pytest
import waiting
from event_receivers import event, frame_with, receiving

from preprocessing.errors import UsageError
from realtime.sinks.events import outbox
from realtime.sinks.events.webhook import Webhook, read_secret


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(outbox, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(outbox, "LONGEST_PAUSE", 0.05)


def ids(receiver):
    return [json.loads(body)["id"] for body, _ in receiver.taken]


def test_an_event_is_signed(tmp_path):
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(b"key").decode() + "\n")
    secret = read_secret(tmp_path / "secret")
    with receiving() as receiver:
        sink = Webhook(receiver.url, secret=secret, spool=tmp_path)
        make.write_all(sink, frame_with(event(1)))
    ((body, headers),) = receiver.taken
    assert json.loads(body)["event"] == "entered" and headers["webhook-id"] == "run-000001"
    signed = f"run-000001.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(b"key", signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_errors_and_cut_connections_are_tried_again_in_order(tmp_path):
    answers = [500, 0, 503, 204, 404, 0, 200]  # 0 closes the connection without an answer
    with receiving(lambda count: answers[count - 1] if count <= len(answers) else 204) as receiver:
        sink = Webhook(receiver.url, spool=tmp_path)
        sink.open(make.info())
        sink.write(frame_with(*map(event, range(5))))
        waiting.until(lambda: len(receiver.taken) == 5)
        sink.close(complete=True)
    assert ids(receiver) == [f"run-{number:06d}" for number in range(5)]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_receiver_refuses_for_good_is_left_out(tmp_path, caplog):
    with receiving(lambda count: 422 if count == 1 else 204) as receiver:
        make.write_all(Webhook(receiver.url, spool=tmp_path), frame_with(event(1), event(2)))
    assert ids(receiver) == ["run-000002"] and "refuses event run-000001" in caplog.text


def test_what_was_not_taken_goes_first_with_the_next_run(tmp_path, caplog):
    with receiving() as receiver:
        pass
    make.write_all(Webhook(receiver.url, spool=tmp_path), frame_with(event(1), event(2)))
    assert "2 events wait in" in caplog.text
    with receiving(port=receiver.port) as receiver:
        make.write_all(Webhook(receiver.url, spool=tmp_path), frame_with(event(3)))
    assert ids(receiver) == ["run-000001", "run-000002", "run-000003"]


def test_two_runs_send_to_one_place(tmp_path):
    with receiving() as receiver:
        first, second = (Webhook(receiver.url, spool=tmp_path) for _ in range(2))
        for sink in (first, second):
            sink.open(make.info())
        assert first._spool.folder != second._spool.folder
        for number, sink in enumerate((first, second)):
            sink.write(frame_with(event(number)))
            sink.close(complete=True)
    assert sorted(ids(receiver)) == ["run-000000", "run-000001"]


def test_a_secret_that_is_none(tmp_path):
    (tmp_path / "empty").write_text("\n")
    for name in ("empty", "missing"):
        with pytest.raises(UsageError, match="--webhook-secret-file"):
            read_secret(tmp_path / name)
