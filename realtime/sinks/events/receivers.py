"""The sinks of those who take events over a network, and of the command."""

from collections.abc import Iterator

from realtime.sinks.events.command import CommandHook
from realtime.sinks.events.mqtt import Mqtt
from realtime.sinks.events.settings import EventSettings
from realtime.sinks.events.webhook import Webhook, read_secret
from realtime.sinks.sink import Sink


def receivers(events: EventSettings) -> Iterator[Sink]:
    """Make the sinks of the receivers that the flags name; none is open yet.

    Raises:
        UsageError: a secret cannot be read, an address is none, or a package is not installed.
    """
    if events.webhook:
        file = events.webhook_secret_file
        secret = read_secret(file) if file else b""
        yield Webhook(events.webhook, secret=secret, spool=events.event_spool)
    if events.mqtt:
        yield Mqtt(events.mqtt, spool=events.event_spool)
    if events.on_event:
        yield CommandHook(events.on_event)
