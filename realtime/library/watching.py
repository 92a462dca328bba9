"""What watches the zones of a run."""

from realtime.analysis.zones.watch import Watch
from realtime.settings import Settings


def new_watch(settings: Settings) -> Watch | None:
    """Return a watch for one source; None where no zone is given and nobody takes events."""
    if not settings.zones and not settings.outputs.takes_events:
        return None
    return Watch(settings.zones)
