"""The life of sinks: all that opened are closed, and the first error is the one that counts."""

import make
import pytest

from preprocessing.errors import BrokenSourceError, SinkError
from realtime.sinks.sink import opened


class Recorded:
    """A sink that records its calls, and fails in one of them."""

    needs_picture = False

    def __init__(self, calls, name, *, fails=""):
        self._calls, self._name, self._fails = calls, name, fails

    def open(self, info):
        self._record("open")

    def write(self, labelled):
        self._record("write")

    def close(self, *, complete):
        self._record("close" if complete else "abort")

    def _record(self, call):
        self._calls.append(f"{call} {self._name}")
        if call == self._fails:
            raise SinkError(f"{call} {self._name}")


def test_sinks_close_in_reverse_order():
    calls = []
    with opened([Recorded(calls, "a"), Recorded(calls, "b")], make.info()):
        pass
    assert calls == ["open a", "open b", "close b", "close a"]


def test_a_sink_that_does_not_open_is_not_closed_but_those_before_it_are():
    calls = []
    sinks = [Recorded(calls, "a"), Recorded(calls, "b", fails="open"), Recorded(calls, "c")]
    with pytest.raises(SinkError, match="open b"), opened(sinks, make.info()):
        pass
    assert calls == ["open a", "open b", "abort a"]


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (SinkError("disk full"), SinkError, "disk full"),  # the cause of the one on closing
        (BrokenSourceError("cable"), SinkError, "abort a"),
        (KeyboardInterrupt(), SinkError, "abort a"),
    ],
)
def test_errors_on_closing_are_raised_unless_a_sink_failed_before(error, raised, message):
    calls = []
    sinks = [Recorded(calls, "a", fails="abort"), Recorded(calls, "b")]
    with pytest.raises(raised, match=message), opened(sinks, make.info()):
        raise error
    assert calls[-2:] == ["abort b", "abort a"]
