"""The page's view of a run: fan-out of pictures to viewers, the state beside them."""

import asyncio

import cv2
import make
import numpy as np

from realtime.page.state import Hub, State
from realtime.runtime.stats import Stats


def test_a_slow_viewer_loses_pictures_and_holds_nobody_up():
    async def watch():
        hub = Hub()
        hub.attach()
        slow = hub.pictures()
        hub.show(np.zeros((8, 8, 3), np.uint8))
        await anext(slow)
        for level in range(1, 60):
            hub.show(np.full((8, 8, 3), level, np.uint8))
        await asyncio.sleep(0)
        newest = cv2.imdecode(np.frombuffer(await anext(slow), np.uint8), cv2.IMREAD_GRAYSCALE)
        hub.close()
        assert [one async for one in slow] == []
        return int(newest[0, 0])

    assert asyncio.run(watch()) == 59


def test_the_state_says_who_wears_what():
    state = State(Hub(), Stats(), lambda label: (255, 0, 16))
    path = (("garment", 0.99), ("upper body", 0.98), ("top", 0.9), ("t-shirt", 0.41234))
    worn = make.garment("top", person=3, path=path, colour="blue")
    state.write(make.labelled(0, worn, make.garment("bag", track=2)))
    first, second = state.report()["garments"]
    assert (first["label"], first["person"], first["shade"]) == ("top", 3, "#1000ff")
    assert first["path"][-1] == ["t-shirt", 0.412]
    assert second["person"] is None and second["path"] == []
    assert state.report()["counts"] == {"top": 1, "bag": 1}
