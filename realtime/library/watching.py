"""The watch over the zones of a run."""

from realtime.analysis.zones.settings import ZoneSettings
from realtime.analysis.zones.watch import Watch
from realtime.sinks.sink_table import OutputSettings


def new_watch(zones: ZoneSettings, outputs: OutputSettings) -> Watch | None:
    """Return a watch for one source; None where no zone is given and nobody takes events."""
    if not zones and not outputs.takes_events:
        return None
    return Watch(zones)
