"""Rules for every test: no thread may outlive it, and its programs heed signals."""

import signal
import threading

import pytest

JOIN_SECONDS = 5
ours = ("prefetch", "write-behind")

# A shell ignores SIGINT for what it starts with `&`, nohup SIGHUP, and programs inherit that. A
# handler they do not inherit; this one does nothing, so that the tests themselves go on.
for _number in signal.valid_signals() & {signal.SIGINT, getattr(signal, "SIGHUP", None)}:
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    for thread in threading.enumerate():
        if thread.name in ours:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), f"thread {thread.name} is left"
