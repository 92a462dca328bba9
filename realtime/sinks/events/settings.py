"""Receivers of events. Imports nothing heavy."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from preprocessing.errors import UsageError
from preprocessing.flags import Flag

GROUP = "zones and events"
LABELLED, CLEAN = EVENT_PICTURES = ("labelled", "clean")
SECONDS = (5.0, 5.0)


def read_pair(text: str) -> tuple[float, float]:
    """Return the seconds of BEFORE,AFTER.

    Raises:
        ValueError: they are none.
    """
    before, after = map(float, text.split(","))
    if not (0 <= before <= 60 and 0 <= after <= 60):
        raise ValueError("out of range")
    return before, after


@dataclass(frozen=True, kw_only=True)
class EventSettings:
    """Receivers of events, but for files, which are outputs as others.

    Raises:
        UsageError: a secret without a webhook, or a command that is none.
    """

    webhook: Annotated[
        str | None,
        Flag(
            "POST each event as JSON to this address, until it is taken: at least once, in order; "
            "what waits is kept on the disk",
            metavar="URL",
            group=GROUP,
        ),
    ] = None
    webhook_secret_file: Annotated[
        Path | None,
        Flag(
            "sign them by HMAC-SHA256 with the secret in FILE, as standardwebhooks.com does",
            metavar="FILE",
            group=GROUP,
        ),
    ] = None
    mqtt: Annotated[
        str | None,
        Flag(
            "publish events and counts to a broker, mqtt://USER:PASSWORD@HOST/PREFIX or mqtts://; "
            "Home Assistant finds them by itself (needs paho-mqtt)",
            metavar="URL",
            group=GROUP,
        ),
    ] = None
    on_event: Annotated[
        str | None,
        Flag(
            "run a program for each event, with its JSON on stdin and EVENT_KIND, EVENT_PLACE, ... "
            "in its environment",
            metavar="COMMAND",
            group=GROUP,
        ),
    ] = None
    event_seconds: Annotated[
        tuple[float, float],
        Flag(
            "how much of --event-clips is before and after an event",
            metavar="BEFORE,AFTER",
            group=GROUP,
            reads=read_pair,
            wanted="two numbers of seconds up to 60, such as 5,5",
            default="5,5",
        ),
    ] = SECONDS
    event_picture: Annotated[
        str,
        Flag("picture of clips and snapshots", group=GROUP, choices=EVENT_PICTURES),
    ] = LABELLED
    event_spool: Annotated[
        Path | None,
        Flag(
            "folder for events that wait for their receiver",
            metavar="DIR",
            group=GROUP,
            default="among the user's state",
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.webhook_secret_file and not self.webhook:
            raise UsageError("--webhook-secret-file belongs to --webhook URL: give that as well")
        if self.webhook and not self.webhook.lower().startswith(("http://", "https://")):
            raise UsageError(f"--webhook wants http:// or https://, got {self.webhook}")
        try:
            words = shlex.split(self.on_event or "x")
        except ValueError as error:
            raise UsageError(f"--on-event {self.on_event}: {error}") from error
        if not words:
            raise UsageError("--on-event is empty: give a command")

    def __bool__(self) -> bool:
        """True if there is a receiver."""
        return bool(self.webhook or self.mqtt or self.on_event)
