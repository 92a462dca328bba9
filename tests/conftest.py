"""Rules for every test: no thread may outlive it, nor a program, which heeds signals."""

import signal
import threading

import make
import pytest

JOIN_SECONDS = 5
TRAINING = make.ROOT / "tests" / "training"
ours = ("prefetch", "write-behind", "detect", "label")

# A shell ignores SIGINT for what it starts with `&`, nohup SIGHUP, and programs inherit that. A
# handler they do not inherit; this one does nothing, so that the tests themselves go on.
for _number in signal.valid_signals() & {signal.SIGINT, getattr(signal, "SIGHUP", None)}:
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


def pytest_collection_modifyitems(config, items):
    """Keep tests together that share fixtures, a file or a task of training; the longest first."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
    items.sort(key=lambda item: TRAINING not in item.path.parents)


def group_of(path):
    """A test file, or its folder where that trains networks for all files in it."""
    return str(path.parent if TRAINING in (path.parent, path.parent.parent) else path)


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    for thread in threading.enumerate():
        if thread.name.startswith(ours):
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), f"thread {thread.name} is left"


@pytest.fixture(autouse=True)
def no_program_left():
    yield
    while make.started:
        process = make.started.pop()
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
