"""Events to receivers that fail: `python -m realtime.bench.live.deliveries --minutes 10`.

Frames with events pass through the app's own sinks at 25 a second, while a webhook's receiver takes
them, is slow, is down and answers 500 in turn, and an MQTT broker (mosquitto) is ended and started
again. Prints frames that were left out, the longest hold-up of a frame, and per receiver the events
that came, came twice, came in another order or never.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from realtime.bench.answers import markdown
from realtime.runtime.stats import Stats
from realtime.sinks.delivery import delivering
from realtime.sinks.events.mqtt import Mqtt
from realtime.sinks.events.outbox import Outbox
from realtime.sinks.events.webhook import Webhook
from realtime.types import ENTERED, Event, Frame, LabelledFrame, SourceInfo

RATE = 25  # frames a second
EVENT_FRAMES = 12  # frames from event to event
SLOW_SECONDS = 8.0  # of an answer
MODES = ("takes", "slow", "down", "500")
LAST_SECONDS = 60.0  # for what waits at the end, once all receivers take events
INFO = SourceInfo("frames", 64, 48, Fraction(RATE), Fraction(1, RATE), None, live=True)


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    """How long to run."""

    minutes: Annotated[float, Flag("length of the run", POSITIVE, metavar="N")] = 10.0
    period: Annotated[float, Flag("seconds of each trouble", POSITIVE, metavar="SECONDS")] = 20.0


class Hook:
    """A receiver of webhooks that has one of MODES at a time."""

    def __init__(self) -> None:
        self.mode, self.ids = MODES[0], list[str]()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._server: ThreadingHTTPServer | None = None

    def enter(self, mode: str, pool: ThreadPoolExecutor) -> None:
        """Behave so from now on."""
        self.mode = mode
        if mode == "down":
            self.close()
        elif self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
            pool.submit(self._server.serve_forever, 0.05)

    def close(self) -> None:
        """Take no more connections."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hook.mode == "slow":
                    time.sleep(SLOW_SECONDS)
                failing = hook.mode == "500"
                if not failing:
                    hook.ids.append(body["id"])
                self.send_response(500 if failing else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class Broker:
    """A mosquitto that can be ended and started, and who listens to it."""

    def __init__(self, folder: Path):
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if not found:
            raise UsageError("no mosquitto here: apt-get install mosquitto")
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = folder / "mosquitto.conf"
        lines = (f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true",
                 f"persistence_location {folder}/", "user root")  # fmt: skip
        config.write_text("\n".join(lines) + "\n")
        self._command = [found, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None
        self.ids: list[str] = []
        self.listens = False
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe("+/+/events", qos=1)
        self._client.on_message = lambda c, d, one: self.ids.append(json.loads(one.payload)["id"])
        self._client.on_subscribe = lambda *_: setattr(self, "listens", True)
        self._client.reconnect_delay_set(1, 1)

    def run(self, running: bool) -> None:
        """Start it, or end it."""
        if running and self._process is None:
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(self._command, stdout=quiet, stderr=quiet)
            if not self._client.is_connected():
                self._client.connect_async("127.0.0.1", self.port)
                self._client.loop_start()
        elif not running and self._process:
            self._process.terminate()  # so that it keeps what its subscriber has not got yet
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it, and the listener."""
        self._client.disconnect()
        self._client.loop_stop()
        self.run(False)


def labelled(index: int) -> tuple[LabelledFrame, str]:
    """A frame, and the id of its event, "" for none."""
    image = np.zeros((INFO.height, INFO.width, 3), np.uint8)
    frame = Frame(image, index, index, INFO.time_base, time.monotonic())
    name = f"bench-{index:08d}" if index % EVENT_FRAMES == 0 else ""
    events = [Event(name, ENTERED, index, frame.time, time.time(), "frames")] if name else []
    return LabelledFrame(frame, (), image, events=events), name


@contextmanager
def troubled(folder: Path) -> Iterator[tuple[Hook, Broker, ThreadPoolExecutor]]:
    """Receivers, which end with the block."""
    hook, broker = Hook(), Broker(folder)
    with ThreadPoolExecutor(4) as pool:
        hook.enter(MODES[0], pool)
        broker.run(True)
        while not broker.listens:
            time.sleep(0.05)
        try:
            yield hook, broker, pool
        finally:
            hook.close()
            broker.close()


def row(name: str, sent: Sequence[str], got: Sequence[str]) -> tuple[str | int, ...]:
    """Return a row of the table: sent, delivered, twice, out of order, never."""
    first = list(dict.fromkeys(got))
    order = [one for one in sent if one in set(first)]
    wrong = sum(a != b for a, b in zip(first, order, strict=True))
    return name, len(sent), len(first), len(got) - len(first), wrong, len(set(sent) - set(first))


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.live.deliveries",
        description="Send events to receivers that are slow, down, failing and started again, and "
        "count what comes.",
    )
    add_fields(arguments, DeliverySettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(DeliverySettings, args)))


def _run(settings: DeliverySettings) -> int:
    stats, sent, holds = Stats(), list[str](), list[float]()
    with tempfile.TemporaryDirectory() as name, troubled(Path(name)) as (hook, broker, pool):
        sinks: list[Outbox] = [
            Webhook(f"http://127.0.0.1:{hook.port}/", spool=Path(name)),
            Mqtt(f"mqtt://127.0.0.1:{broker.port}", spool=Path(name)),
        ]
        with delivering(sinks, INFO, stats, stopped=lambda: False) as deliver:
            start = time.monotonic()
            for index in range(int(60 * settings.minutes * RATE)):
                turn, rest = divmod(index, int(settings.period * RATE))
                if rest == 0:
                    hook.enter(MODES[turn % len(MODES)], pool)
                    broker.run(turn % 2 == 0)
                frame, event = labelled(index)
                sent += [event] if event else []
                before = time.monotonic()
                deliver(frame)
                holds.append(time.monotonic() - before)
                time.sleep(max(0.0, start + (index + 1) / RATE - time.monotonic()))
            hook.enter(MODES[0], pool)
            broker.run(True)
            until = time.monotonic() + LAST_SECONDS
            while any(len(sink._spool) for sink in sinks) and time.monotonic() < until:
                time.sleep(0.1)
        time.sleep(1.0)  # for the subscriber
    print(f"{len(holds)} frames, {sum(stats.left_out.values())} left out, longest hold-up "
          f"{1000 * max(holds):.1f} ms, mean {1000 * float(np.mean(holds)):.3f} ms")  # fmt: skip
    head = ("receiver", "sent", "delivered", "twice", "out of order", "never")
    print(markdown(head, [row("webhook", sent, hook.ids), row("mqtt", sent, broker.ids)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
