"""Signals that ask a run to finish."""

import os
import signal

import pytest

from realtime.runtime.interrupt import SIGNALS, Interrupt


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_a_request_and_a_status(number):
    with Interrupt() as interrupt:
        assert not interrupt.requested() and interrupt.status == 0
        os.kill(os.getpid(), number)
        assert interrupt.requested() and interrupt.status == 128 + number


def test_handlers_are_restored():
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interrupt():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_run_outlives_its_terminal_if_it_was_asked_to():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt.requested()
    finally:
        signal.signal(signal.SIGHUP, before)
