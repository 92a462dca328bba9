"""The watch over the zones of a run."""

from realtime.analysis.zones.settings import ZoneSettings
from realtime.analysis.zones.watch import Finder, Watch
from realtime.sinks.sink_table import OutputSettings


def new_watch(
    zones: ZoneSettings, outputs: OutputSettings, *, find: Finder | None = None
) -> Watch | None:
    """Return a watch for one source; None where no zone is given and nobody takes events.

    Args:
        find: finds in each frame what is searched, which are events; None to search nothing.
    """
    if not zones and not outputs.takes_events:
        return None
    return Watch(zones, find=find) if find else Watch(zones)
