import itertools
import threading

import pytest

from realtime.runtime.worker import Channel, Outbox, Prefetch

FRAMES = 500


def never():
    return False


def test_prefetch_keeps_the_order_and_loses_nothing():
    with Prefetch(iter(range(FRAMES)), size=4, drop_oldest=False) as frames:
        assert list(frames.items(never)) == list(range(FRAMES))
        assert frames.dropped == 0


def test_a_slow_reader_of_a_live_source_gets_the_newest():
    filled = threading.Event()

    def camera():
        yield from range(100)
        filled.set()

    with Prefetch(camera(), size=2, drop_oldest=True) as frames:
        assert filled.wait(5)
        got = list(frames.items(never))
    assert got == [98, 99] and frames.dropped == 98


def test_the_source_s_error_comes_after_its_frames():
    def broken():
        yield from range(3)
        raise ValueError("unplugged")

    got = []
    with Prefetch(broken(), size=8, drop_oldest=False) as frames, pytest.raises(ValueError):
        for item in frames.items(never):
            got.append(item)
    assert got == [0, 1, 2]


def test_leaving_early_ends_an_endless_source():
    with Prefetch(itertools.count(), size=4, drop_oldest=False) as frames:
        assert next(frames.items(never)) == 0


def test_a_request_to_stop_ends_the_wait_for_a_silent_source():
    silent, stop = threading.Event(), threading.Event()

    def camera():
        silent.wait(10)
        yield from ()

    threading.Timer(0.2, stop.set).start()
    try:
        with Prefetch(camera(), size=1, drop_oldest=True) as frames:
            assert list(frames.items(stop.is_set)) == []
    finally:
        silent.set()


def test_outbox_delivers_everything_in_order():
    got = []
    with Outbox(got.append, size=3) as outbox:
        for index in range(FRAMES):
            outbox.send(index)
    assert got == list(range(FRAMES))


def test_outbox_raises_the_receiver_s_error_and_never_hangs():
    def deliver(item):
        if item == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Outbox(deliver, size=2) as outbox:
        for index in range(FRAMES):
            outbox.send(index)


def test_outbox_raises_an_error_of_the_last_item_on_leaving():
    def deliver(item):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Outbox(deliver, size=2) as outbox:
        outbox.send(0)


def test_outbox_raises_the_receiver_s_error_even_while_a_stop_is_under_way():
    class Stop(Exception):
        pass

    def deliver(item):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as raised, Outbox(deliver, size=2) as outbox:
        outbox.send(0)
        raise Stop
    assert isinstance(raised.value.__context__, Stop)


def test_a_closed_channel_takes_nothing():
    channel = Channel(1)
    channel.close()
    assert not channel.send(1) and list(channel.receive()) == []
