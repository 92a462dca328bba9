"""Addresses: which source opens, and the error of what is none."""

import make
import pytest

from preprocessing.errors import SourceError
from realtime.sources.open_source import FakeSource, open_source
from realtime.sources.reconnect import ReconnectingSource


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "not a video"),
        ("text.mp4", b"hello, no video here" * 100, "not a video"),
        ("text.png", b"no picture", "no readable picture"),
    ],
)
def test_the_error_of_what_is_no_video_names_it(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        open_source(str(path))


def test_only_live_sources_reconnect(tmp_path):
    clip = make.clip(tmp_path / "a.mp4", frames=2)
    with open_source(str(clip), reconnect=5) as source:
        assert not isinstance(source, ReconnectingSource)
    with open_source("fake://30fps", reconnect=5) as source:
        assert isinstance(source, ReconnectingSource)
    with open_source("fake://30fps") as source:
        assert isinstance(source, FakeSource)
