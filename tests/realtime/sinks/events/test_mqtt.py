"""MQTT by a real broker, which is killed and started again."""

import json
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import replace

import make
import pytest
import waiting
from event_receivers import event, frame_with

from preprocessing.errors import UsageError
from realtime.sinks.events.mqtt import Mqtt, discovery, topic_part
from realtime.types import AreaCount

BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(not BROKER, reason="no mosquitto here: apt-get install mosquitto")
FLOOR = AreaCount("the floor", "zone", (), entered=3, left=1, inside=2)


@contextmanager
def broker(port: int):
    process = subprocess.Popen([BROKER, "-p", str(port)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def listening(port: int):
    """The messages of a broker by topic, as a subscriber gets them."""
    mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    client, got, ready = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2), [], []
    client.on_message = lambda c, d, message: got.append((message.topic, message.payload.decode()))
    client.on_subscribe = lambda *_: ready.append(1)
    client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    waiting.until(lambda: ready)
    try:
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


def events_in(got):
    found = [json.loads(body) for topic, body in got if topic.endswith("/events")]
    return list(dict.fromkeys(one["id"] for one in found))


@needs_broker
def test_events_counts_and_discovery(tmp_path):
    port = free_port()
    with broker(port), listening(port) as got:
        sink = Mqtt(f"mqtt://127.0.0.1:{port}/shop", spool=tmp_path)
        sink.open(make.info("hall.mp4"))
        sink.write(replace(frame_with(event(1), event(2)), areas=[FLOOR]))
        topics = waiting.until(lambda: len(found := dict(got)) >= 4 and len(events_in(got)) == 2
                               and found)  # fmt: skip
        sink.close(complete=True)
        waiting.until(lambda: dict(got)["shop/hall_mp4/online"] == "offline")
    assert json.loads(topics["shop/hall_mp4/events"])["event_type"] == "entered"
    assert json.loads(topics["shop/hall_mp4/areas/the_floor"])["inside"] == 2
    assert "homeassistant/device/garments_shop_hall_mp4/config" in topics


@needs_broker
def test_a_broker_that_dies_gets_all_events_when_it_is_back(tmp_path):
    port = free_port()
    sink = Mqtt(f"mqtt://127.0.0.1:{port}", spool=tmp_path)
    sink.open(make.info())
    sink.write(frame_with(event(1)))  # nobody is there yet
    with broker(port), listening(port) as got:
        waiting.until(lambda: events_in(got) == ["run-000001"])
    waiting.until(lambda: not sink._client.is_connected())
    sink.write(frame_with(event(2), event(3)))
    with broker(port), listening(port) as got:
        waiting.until(lambda: len(sink._spool) == 0)
        sink.write(frame_with(event(4)))
        waiting.until(lambda: "run-000004" in events_in(got))
        sink.close(complete=True)


def test_what_home_assistant_reads():
    found = discovery("shop/hall", "garments_hall", "hall", [FLOOR])
    assert found["device"] == {"identifiers": ["garments_hall"], "name": "Garments hall"}
    assert found["components"]["the_floor_inside"] == {
        "platform": "sensor", "name": "the floor inside",
        "unique_id": "garments_hall_the_floor_inside", "state_topic": "shop/hall/areas/the_floor",
        "value_template": "{{ value_json['inside'] }}", "state_class": "measurement",
    }  # fmt: skip
    assert "first seen" in found["components"]["events"]["event_types"]


def test_addresses_and_names():
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    with pytest.raises(UsageError, match="mqtt://HOST"):
        Mqtt("http://host")
    assert topic_part("a/b #+") == "a_b"
