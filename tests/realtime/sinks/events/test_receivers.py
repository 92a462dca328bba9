"""Receivers by their flags."""

import pytest

from preprocessing.errors import UsageError
from realtime.flags import read_settings
from realtime.sinks.sink_table import OutputSettings, make_sinks


def test_flags_of_receivers(tmp_path):
    argv = ["--webhook", "https://host/a", "--on-event", "echo", "--event-spool", str(tmp_path)]
    outputs = read_settings(argv).outputs
    assert outputs and outputs.takes_events and not OutputSettings().takes_events
    assert [sink.target for sink in make_sinks(outputs)] == ["https://host/a", "echo"]
    assert not list(tmp_path.iterdir())  # nothing is touched yet


@pytest.mark.parametrize(
    "argv",
    [["--webhook", "host"], ["--webhook-secret-file", "a"], ["--on-event", "'"],
     ["--rule", "zone floor without hat"], ["--zone", "a=0,0,1,1", "--line", "a=0,0,1,1"]],
)  # fmt: skip
def test_flags_that_do_not_go_together(argv):
    with pytest.raises(UsageError):
        read_settings(argv)


@pytest.mark.parametrize(
    "argv", [["--zone", "a=1"], ["--rule", "no hats"], ["--event-seconds", "1"]]
)
def test_values_that_are_none(argv, capsys):
    with pytest.raises(SystemExit):
        read_settings(argv)
    assert "wanted" in capsys.readouterr().err or argv[0] == "--event-seconds"
