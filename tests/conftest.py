"""Rules for every test: no thread may outlive it."""

import threading

import pytest

JOIN_SECONDS = 5
ours = ("prefetch", "write-behind")


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    for thread in threading.enumerate():
        if thread.name in ours:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), f"thread {thread.name} is left"
