"""Fan-out of pictures to viewers."""

import asyncio

import cv2
import numpy as np

from realtime.page.state import Hub


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
