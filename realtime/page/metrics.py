"""Figures of a session in the text format of Prometheus."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as KIND
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

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


def _family(
    kind: type[GaugeMetricFamily], name: str, help_text: str, values: dict[str, float]
) -> Metric:
    family = kind(f"{PREFIX}_{name}", help_text, labels=("run",))
    for run, value in values.items():
        family.add_metric([run], value)
    return family
