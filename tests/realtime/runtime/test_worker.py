"""Threads between the stages: order, errors, dropped items, and ends that never hang."""

import itertools
import threading

import pytest
from waiting import DEADLINE

from realtime.runtime.worker import Channel, Prefetch, ReceiveTimeout, WriteBehind

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
        got = frames.items(never)
        assert next(got) == 0  # the first is never dropped: outputs begin with it
        assert filled.wait(DEADLINE)
        assert list(got) == [98, 99] and frames.dropped == 97


def test_whether_items_are_dropped_may_change_while_the_sender_waits():
    asked = threading.Event()

    def late():
        asked.set()
        return behind.is_set()

    behind, sent = threading.Event(), threading.Event()

    def camera():
        yield from range(4)
        sent.set()

    with Prefetch(camera(), size=1, drop_oldest=late) as frames:
        got = frames.items(never)
        assert next(got) == 0
        assert asked.wait(5) and not sent.is_set() and frames.dropped == 0
        behind.set()
        assert sent.wait(5) and list(got) == [3] and frames.dropped == 2


def test_a_channel_holds_items_by_their_weight():
    channel = Channel(10, weigh=len)
    for item in ("1234", "567890", "no"):
        if item == "no":
            assert next(channel.receive()) == "1234"
        assert channel.send(item)
    channel.close()
    assert list(channel.receive()) == ["567890", "no"] and channel.dropped == 0


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
    silent = threading.Event()

    def camera():
        silent.wait(DEADLINE)
        yield from ()

    def stopped():
        asked.append(1)
        return len(asked) > 3

    asked = []
    try:
        with Prefetch(camera(), size=1, drop_oldest=True) as frames:
            assert list(frames.items(stopped)) == []
    finally:
        silent.set()


def test_write_behind_delivers_everything_in_order():
    got = []
    with WriteBehind(got.append, size=3) as queue:
        for index in range(FRAMES):
            queue.send(index)
    assert got == list(range(FRAMES))


def test_write_behind_raises_the_receiver_s_error_and_never_hangs():
    def deliver(item):
        if item == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(deliver, size=2) as queue:
        for index in range(FRAMES):
            queue.send(index)


def test_write_behind_raises_an_error_of_the_last_item_on_leaving():
    def deliver(item):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(deliver, size=2) as queue:
        queue.send(0)


def test_write_behind_raises_the_receiver_s_error_even_during_a_stop():
    class Stop(Exception):
        pass

    def deliver(item):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as raised, WriteBehind(deliver, size=2) as queue:
        queue.send(0)
        raise Stop
    assert isinstance(raised.value.__context__, Stop)


def test_a_receiver_waits_no_longer_than_its_timeout():
    channel = Channel(1)
    channel.send(1)
    items = channel.receive(timeout=lambda: 0.0)
    assert next(items) == 1
    with pytest.raises(ReceiveTimeout):
        next(items)


def test_a_closed_channel_takes_nothing():
    channel = Channel(1)
    channel.close()
    assert not channel.send(1) and list(channel.receive()) == []
