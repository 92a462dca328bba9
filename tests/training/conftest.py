"""What several tests of training share."""

import pytest


@pytest.fixture(scope="module")
def no_worker():
    """Pictures are read by the test's own process: a few small ones are, before others start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.common.photo_parts.WORKERS", 0)
        yield
