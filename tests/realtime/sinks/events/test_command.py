"""The command that is run for each event."""

import json
import sys

import make
from event_receivers import event, frame_with

from realtime.sinks.events.command import CommandHook

SCRIPT = """import json, os, sys
given = json.load(sys.stdin)
with open(sys.argv[1], "a") as file:
    print(given["id"], os.environ["EVENT_KIND"], os.environ["EVENT_PLACE"], file=file)
sys.exit(3)
"""


def test_a_command_gets_each_event(tmp_path, caplog):
    (tmp_path / "hook.py").write_text(SCRIPT)
    command = f"{sys.executable} {tmp_path / 'hook.py'} {json.dumps(str(tmp_path / 'out 1'))}"
    make.write_all(CommandHook(command), frame_with(event(1), event(2, "left")))
    lines = (tmp_path / "out 1").read_text().splitlines()
    assert lines == ["run-000001 entered floor", "run-000002 left floor"]
    assert "exit status 3" in caplog.text


def test_a_command_that_is_not_there_is_a_line(caplog):
    make.write_all(CommandHook("/no/such/program"), frame_with(event(1)))
    assert "No such file" in caplog.text
