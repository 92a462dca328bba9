"""The browser's camera as a source."""

from realtime.page.browser_camera import BrowserCamera


def test_broken_pictures_are_counted():
    camera = BrowserCamera(8, 8)
    frames = iter(camera)
    camera.feed(b"broken")
    camera.close()
    assert list(frames) == [] and camera.failed == 1
