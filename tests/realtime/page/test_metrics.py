"""Figures in the text format of Prometheus."""

from types import SimpleNamespace

from realtime.page.metrics import metrics
from realtime.runtime.stats import Stats
from realtime.types import AreaCount


def test_counts_of_zones_and_lines():
    stats = Stats()
    stats.areas = [
        AreaCount("floor", "zone", (), entered=3, left=1, inside=2, stays=1, stayed=4.5,
                  garments={("in", "coat", "red"): 2}),
        AreaCount("mask", "ignored", ()),
    ]  # fmt: skip
    run = SimpleNamespace(running=True, stats=stats)
    session = SimpleNamespace(runs={"page": run}, hub=SimpleNamespace(viewers=0))
    lines = metrics(session).decode().splitlines()
    assert 'garments_people_total{area="floor",direction="in",run="page"} 3.0' in lines
    assert 'garments_inside{area="floor",run="page"} 2.0' in lines
    assert 'garments_stay_seconds_sum{area="floor",run="page"} 4.5' in lines
    coats = 'area="floor",colour="red",direction="in",label="coat",run="page"'
    assert f"garments_garments_total{{{coats}}} 2.0" in lines
    assert "mask" not in "".join(lines)
    kinds = {area["name"]: area for area in stats.report()["areas"]}
    assert kinds["floor"]["inside"] == 2 and kinds["floor"]["mean_stay_seconds"] == 4.5
