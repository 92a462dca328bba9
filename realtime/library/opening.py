"""Opening a source by the settings of one, for the library and the command line."""

from collections.abc import Callable

from realtime.settings import Address, SourceSettings
from realtime.sources.open_source import open_source
from realtime.sources.source import Source


def opened(
    address: Address, settings: SourceSettings, stopped: Callable[[], bool] = lambda: False
) -> Source:
    """Open a source by its settings.

    Args:
        stopped: asked meanwhile; true ends the wait.

    Raises: as `open_source`.
    """
    return open_source(
        address,
        reconnect=settings.reconnect,
        hwaccel=settings.hwaccel,
        keep_times=settings.keep_times,
        cut=settings.cut,
        camera=settings.camera,
        insecure=settings.insecure,
        timeout=settings.timeout,
        stopped=stopped,
    )
