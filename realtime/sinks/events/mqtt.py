"""`--mqtt URL`: events and counts to an MQTT broker, where Home Assistant finds them by itself."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from preprocessing.errors import UsageError
from realtime.sinks.events.outbox import DeliveryError, Outbox
from realtime.types import EVENT_KINDS, AreaCount, LabelledFrame, SourceInfo

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX, DISCOVERY = "garments", "homeassistant"
WAIT_SECONDS = 1.0  # for the broker to take an event
KEEP_ALIVE, LONGEST_PAUSE = 15, 30  # seconds
IN_NO_TOPIC = re.compile(r"[^A-Za-z0-9_-]+")


class Mqtt(Outbox):
    """Events to PREFIX/SOURCE/events, and counts, kept by the broker, to PREFIX/SOURCE/areas/NAME.

    Args:
        url: mqtt://USER:PASSWORD@HOST:PORT/PREFIX, mqtts:// for TLS.

    Raises:
        UsageError: paho-mqtt is not installed, or the URL is none.
    """

    def __init__(self, url: str, *, spool: Path | None = None):
        super().__init__(url, spool=spool)
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise UsageError("--mqtt needs paho-mqtt: pip install paho-mqtt") from error
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise UsageError(f"--mqtt wants mqtt://HOST or mqtts://HOST, got {self.target}")
        self._host, self._port = parts.hostname, parts.port or PORTS[parts.scheme]
        self._prefix = parts.path.strip("/") or PREFIX
        self._client: Client = Client(CallbackAPIVersion.VERSION2)
        if parts.username:
            password = unquote(parts.password) if parts.password else None
            self._client.username_pw_set(unquote(parts.username), password)
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.on_connect = self._connected
        self._sent: tuple[str, MQTTMessageInfo] | None = None
        self._areas: dict[str, AreaCount] = {}
        self._source = ""

    @property
    def _base(self) -> str:
        return f"{self._prefix}/{topic_part(self._source)}"

    def open(self, info: SourceInfo) -> None:
        self._source = Path(info.name).name or "source"
        self._client.will_set(f"{self._base}/online", "offline", qos=1, retain=True)
        self._client.reconnect_delay_set(1, LONGEST_PAUSE)
        super().open(info)
        self._client.connect_async(self._host, self._port, KEEP_ALIVE)
        self._client.loop_start()

    def write(self, labelled: LabelledFrame) -> None:
        super().write(labelled)
        for area in labelled.areas:
            before = self._areas.get(area.name)
            if before is None or _changed(before, area):
                self._areas[area.name] = area
                if self._client.is_connected():
                    self._publish_area(area)
                if before is None and self._client.is_connected():
                    self._announce()

    def deliver(self, name: str, content: bytes) -> None:
        if self._sent is None or self._sent[0] != name:
            if not self._client.is_connected():
                raise DeliveryError("no connection to the broker", pause=1.0)
            message = {**json.loads(content), "event_type": json.loads(content)["event"]}
            topic = f"{self._base}/events"
            self._sent = (name, self._client.publish(topic, json.dumps(message), qos=1))
        info = self._sent[1]
        try:
            info.wait_for_publish(WAIT_SECONDS)
        except (ValueError, RuntimeError) as error:  # it was not queued
            self._sent = None
            raise DeliveryError(str(error), pause=1.0) from error
        if not info.is_published():  # the client sends it again when it is connected again
            raise DeliveryError("the broker does not take an event", pause=0.0)

    def close(self, *, complete: bool) -> None:
        super().close(complete=complete)
        if self._client.is_connected():
            self._client.publish(f"{self._base}/online", "offline", qos=1, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: "Client", *_: object) -> None:
        """Announce everything, on the client's thread: the broker may have forgotten it."""
        client.publish(f"{self._base}/online", "online", qos=1, retain=True)
        self._announce()
        for area in list(self._areas.values()):
            self._publish_area(area)

    def _announce(self) -> None:
        identity = f"{PREFIX}_{topic_part(self._base)}"
        message = discovery(self._base, identity, self._source, list(self._areas.values()))
        topic = f"{DISCOVERY}/device/{identity}/config"
        self._client.publish(topic, json.dumps(message), qos=1, retain=True)

    def _publish_area(self, area: AreaCount) -> None:
        topic = f"{self._base}/areas/{topic_part(area.name)}"
        state = {"in": area.entered, "out": area.left, "inside": area.inside,
                 "broken": area.broken}  # fmt: skip
        self._client.publish(topic, json.dumps(state), qos=0, retain=True)


def _changed(before: AreaCount, after: AreaCount) -> bool:
    return (before.entered, before.left, before.inside, before.broken) != (
        after.entered, after.left, after.inside, after.broken)  # fmt: skip


def topic_part(name: str) -> str:
    """Return a name as one level of a topic."""
    return IN_NO_TOPIC.sub("_", name).strip("_") or "_"


def discovery(base: str, identity: str, source: str, areas: "list[AreaCount]") -> Mapping[str, Any]:
    """Return Home Assistant's description of a source: one device, its events and counts.

    Its form is that of https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery for devices.
    """
    entities: dict[str, Any] = {"events": {
        "platform": "event", "name": "Event", "unique_id": f"{identity}_events",
        "state_topic": f"{base}/events", "event_types": list(EVENT_KINDS),
    }}  # fmt: skip
    for area in areas:
        values = {"zone": ("inside", "in", "out", "broken"), "line": ("in", "out")}
        for value in values.get(area.kind, ()):
            key = f"{topic_part(area.name)}_{value}"
            entities[key] = {
                "platform": "sensor", "name": f"{area.name} {value}",
                "unique_id": f"{identity}_{key}",
                "state_topic": f"{base}/areas/{topic_part(area.name)}",
                "value_template": f"{{{{ value_json['{value}'] }}}}",
                "state_class": "measurement" if value == "inside" else "total_increasing",
            }  # fmt: skip
    return {
        "device": {"identifiers": [identity], "name": f"Garments {source}"},
        "origin": {"name": "garments"},
        "availability_topic": f"{base}/online",
        "components": entities,
    }
