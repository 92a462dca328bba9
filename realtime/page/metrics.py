"""Figures of a session in the text format of Prometheus."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as KIND
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from realtime.analysis.zones.areas import IGNORED, ZONE
from realtime.page.runs import PageRun
from realtime.page.session import Session

__all__ = ["KIND", "metrics"]
PREFIX = "garments"


def metrics(session: Session) -> bytes:
    """Return the figures of the recording, of the run in view, and of the process."""
    registry = CollectorRegistry()
    registry.register(_Runs(session))
    ProcessCollector(registry=registry)  # memory, CPU seconds, open files; where /proc tells them
    return generate_latest(registry)


class _Runs(Collector):
    """Reads the figures of a session's runs when they are asked for."""

    def __init__(self, session: Session):
        self._session = session

    def collect(self) -> Iterable[Metric]:
        runs = self._session.runs
        yield _family(GaugeMetricFamily, "up", "1 while the run goes on",
                      {name: float(run.running) for name, run in runs.items()})  # fmt: skip
        yield _family(GaugeMetricFamily, "fps", "frames a second",
                      {name: run.stats.fps for name, run in runs.items()})  # fmt: skip
        yield _family(GaugeMetricFamily, "latency_seconds", "from capture to labels",
                      {name: run.stats.latency for name, run in runs.items()})  # fmt: skip
        yield from _frames(runs)
        yield from _areas(runs)
        viewers = GaugeMetricFamily(f"{PREFIX}_viewers", "who receive the picture")
        viewers.add_metric([], self._session.hub.viewers)
        yield viewers


def _frames(runs: dict[str, PageRun]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        f"{PREFIX}_frames", "frames by what became of them", labels=("run", "state")
    )
    for name, run in runs.items():
        for state in ("read", "written", "dropped", "failed"):
            family.add_metric([name, state], getattr(run.stats, state))
    yield family


def _areas(runs: dict[str, PageRun]) -> Iterator[Metric]:
    """The counts of zones and lines."""
    labels = ("run", "area", "direction")
    went = CounterMetricFamily(f"{PREFIX}_people", "who went in and out", labels=labels)
    garments = CounterMetricFamily(
        f"{PREFIX}_garments", "what went with them, or alone", labels=(*labels, "label", "colour")
    )
    inside = GaugeMetricFamily(f"{PREFIX}_inside", "who is in a zone", labels=labels[:2])
    stays = SummaryMetricFamily(f"{PREFIX}_stay_seconds", "stays that ended", labels=labels[:2])
    broken = CounterMetricFamily(f"{PREFIX}_rules_broken", "rules broken", labels=labels[:2])
    for name, run in runs.items():
        for area in run.stats.areas:
            if area.kind == IGNORED:
                continue
            went.add_metric([name, area.name, "in"], area.entered)
            went.add_metric([name, area.name, "out"], area.left)
            for (direction, label, colour), count in area.garments.items():
                garments.add_metric([name, area.name, direction, label, colour], count)
            if area.kind == ZONE:
                inside.add_metric([name, area.name], area.inside)
                stays.add_metric([name, area.name], area.stays, area.stayed)
                broken.add_metric([name, area.name], area.broken)
    yield from (family for family in (went, garments, inside, stays, broken) if family.samples)


def _family(
    kind: type[GaugeMetricFamily], name: str, help_text: str, values: dict[str, float]
) -> Metric:
    family = kind(f"{PREFIX}_{name}", help_text, labels=("run",))
    for run, value in values.items():
        family.add_metric([run], value)
    return family
