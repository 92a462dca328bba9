"""What a service manager hears: over a socket of the tests, and in the unit file."""

import configparser
import os
import shutil
import socket
import subprocess
from pathlib import Path

import httpx2
import make
import pytest
from fault import LIGHT
from waiting import DEADLINE, until

from preprocessing.errors import SourceError
from realtime.runtime import service as module
from realtime.runtime.service import SOCKET, WATCHDOG, WATCHDOG_PID, Service, Watched
from realtime.runtime.stats import Stats
from realtime.sources import reconnect

UNIT = Path(module.__file__).with_name("garments.service")


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def heard(manager):
    """Every notification so far."""
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def notifying(manager, **more):
    return {SOCKET: manager.getsockname(), WATCHDOG: "12000000"} | more


def test_the_watchdog_is_fed_only_while_there_are_signs_of_life(clock, manager):
    service = Service(notifying(manager))
    service.alive()
    service.watch(lambda: "early")
    service.ready()
    service.ready()
    service.watch(lambda: "first")
    assert heard(manager) == ["READY=1", "STATUS=first\nWATCHDOG=1"]
    clock.now += 5
    service.alive()
    service.watch(lambda: "too soon")
    clock.now += 1
    service.watch(lambda: "half of its time")
    clock.now += 100
    service.watch(lambda: "nothing came since")
    service.alive()
    service.watch(lambda: "back")
    service.stopping()
    service.stopping()
    clock.now += 100
    service.alive()
    service.watch(lambda: "late")
    assert heard(manager) == [
        "STATUS=half of its time\nWATCHDOG=1",
        "STATUS=back\nWATCHDOG=1",
        "STATUS=completing the outputs\nSTOPPING=1",
    ]


def test_a_watchdog_of_another_process_is_not_ours(clock, manager):
    service = Service(notifying(manager, **{WATCHDOG: "1000000", WATCHDOG_PID: "1"}))
    service.ready()
    service.alive()
    service.watch(lambda: "one")
    clock.now += 1
    service.alive()
    service.watch(lambda: "within ten seconds")
    assert len(heard(manager)) == 2


def test_no_manager_and_a_lost_one_are_no_trouble(tmp_path):
    for environment in ({}, {SOCKET: str(tmp_path / "none")}, {SOCKET: "@nobody-listens"}):
        service = Service(environment)
        service.ready()
        service.stopping()


def test_a_run_notifies_between_its_frames(clock, manager, monkeypatch):
    made = Service(notifying(manager))
    monkeypatch.setattr(module, "service", lambda: made)
    asked, stats = iter([False, False, True]), Stats()
    watched = Watched("rtsp://door", stats, stopped=lambda: next(asked))
    assert not watched.stopped() and heard(manager) == []
    stats.written = 1
    watched.progress(1)
    assert not watched.stopped() and watched.stopped()
    ready, alive, stopping = heard(manager)
    assert ready == "READY=1" and stopping.endswith("STOPPING=1")
    assert alive.startswith("STATUS=rtsp://door: 1 frames written, 0 dropped, 0.0 fps\n")


def test_a_lost_camera_that_is_tried_again_is_a_sign_of_life(monkeypatch):
    signs, moments = [], iter([0.0, 0.0, 5.0, 5.0, 20.0])

    class Signs:
        def alive(self):
            signs.append(1)

    def gone():
        raise SourceError("no route")

    class Ended:
        info, failed = make.info(live=True), 0

        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            pass

        def __iter__(self):
            return iter(())

    monkeypatch.setattr(reconnect, "service", Signs)
    monkeypatch.setattr(reconnect, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(reconnect.time, "monotonic", lambda: next(moments, 20.0))
    source = reconnect.ReconnectingSource(Ended(), gone, patience=10)
    with source, pytest.raises(reconnect.BrokenSourceError):
        list(source)
    assert len(signs) >= 2


def test_a_run_from_start_to_end(tmp_path, manager):
    environment = os.environ | notifying(manager)
    done = make.app("--demo", "--jsonl", tmp_path / "rows.jsonl", *LIGHT, env=environment)
    assert done.returncode == 0
    first, *others, last = heard(manager)
    assert others and first == "READY=1" and last == "STATUS=ended\nSTOPPING=1"
    assert all(one.startswith("STATUS=") and one.endswith("WATCHDOG=1") for one in others)


def test_a_page_is_ready_once_it_is_up_and_stops_by_a_signal(tmp_path, manager):
    environment = os.environ | notifying(manager)
    app = make.start("--demo", "--serve", "127.0.0.1:0", "--open", "-o", tmp_path / "out.mp4",
                     *LIGHT, env=environment)  # fmt: skip
    address = next(line for line in app.stderr if line.startswith("page: ")).split()[1]
    notified = until(lambda: heard(manager))
    assert notified[0] == "READY=1" and httpx2.get(f"{address}healthz").status_code == 200
    app.terminate()
    assert app.wait(DEADLINE) == 143
    assert heard(manager)[-1].endswith("\nSTOPPING=1")


def test_the_unit_file(tmp_path):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(UNIT.read_text().replace("\\\n", ""))
    unit = parser["Service"]
    assert unit["Type"] == "notify" and int(unit["WatchdogSec"]) > 0
    assert unit["Restart"] == "on-failure" and unit["SuccessExitStatus"] == "143"
    assert {"StateDirectory", "CacheDirectory", "User", "EnvironmentFile"} <= unit.keys()
    if program := shutil.which("systemd-analyze"):
        done = subprocess.run([program, "verify", UNIT], capture_output=True, text=True)
        assert done.returncode == 0 and "garments.service" not in done.stderr, done.stderr
    flags = unit["ExecStart"].split("run_realtime.py", 1)[1].replace('"$SOURCE"', "fake://30fps")
    from realtime.flags import read_settings

    words = flags.replace('"', "").replace("'", "").split()
    settings = read_settings(words)
    assert settings.source.reconnect == 3600 and settings.serve and settings.outputs
