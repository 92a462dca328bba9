"""Scores counts on composed walks: `python -m realtime.bench.live.counts --data DIR`.

In each clip one to six people walk through the picture, from either side; some turn back. Counted
are who crosses a line in its middle, in and out, and who enters and leaves a zone around it.
"""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

import numpy as np
from tqdm import tqdm

from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.synthesis.walks import RATE, SIZE, Walker, WalkFrame, walk, walkers
from realtime.analysis.zones.areas import LINE, ZONE, Area
from realtime.analysis.zones.settings import ZoneSettings
from realtime.analysis.zones.watch import GONE_SECONDS, Watch
from realtime.bench.answers import markdown, write_figures
from realtime.bench.composed import ComposedSettings
from realtime.library.assemble import AnalysisFactory
from realtime.runtime.stats import Stats
from realtime.settings import Recognition, recognition_of
from realtime.types import Frame, LabelledFrame, SourceInfo

MIDDLE, LEFT, RIGHT = 0.5, 0.3, 0.7  # of the width: the line, and the sides of the zone
AREAS = (
    Area("line", LINE, ((MIDDLE, 1.0), (MIDDLE, 0.0))),
    Area("zone", ZONE, ((LEFT, 0.0), (RIGHT, 0.0), (RIGHT, 1.0), (LEFT, 1.0))),
)
INFO = SourceInfo("walk", *SIZE, Fraction(RATE), Fraction(1, RATE), None, live=False)
Counts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class CountSettings(ComposedSettings):
    """Clips to compose."""

    seeds: Annotated[int, Flag("number of clips, one for each seed", POSITIVE, metavar="N")] = 20
    most: Annotated[int, Flag("people of a clip at most", POSITIVE, metavar="N")] = 6


def truth(people: Sequence[Walker]) -> Counts:
    """Return the true counts, by the ways of the people."""
    found = dict.fromkeys(("line in", "line out", "zone in", "zone out"), 0)
    width = SIZE[0]
    for person in people:
        moments = np.arange(person.start, person.start + 2 * person.seconds, 1 / RATE)
        way = [x / width for now in moments if (x := person.middle(float(now))) is not None]
        right = np.diff([x > MIDDLE for x in way], prepend=way[0] > MIDDLE)
        inside = np.array([LEFT < x < RIGHT for x in way])
        after = np.array([x > MIDDLE for x in way])
        found["line in"] += int((right & after).sum())
        found["line out"] += int((right & ~after).sum())
        found["zone in"] += int((np.diff(inside.astype(int)) == 1).sum())
        found["zone out"] += int((np.diff(inside.astype(int)) == -1).sum())
    return found


def counted(frames: Iterable[WalkFrame], analyse: "AnalysisFactory") -> Counts:
    """Run the pipeline over a clip; return the counts at its end."""
    analysis, watch, stats = analyse.new_analysis(), Watch(ZoneSettings(areas=AREAS)), Stats()
    watch.open(INFO)
    labelled, index = None, 0
    for index, one in enumerate(frames):
        frame = Frame(one.image, index, index, INFO.time_base, time.monotonic())
        labelled = watch(LabelledFrame(frame, analysis(frame, stats), frame.image))
    assert labelled is not None, "a walk without frames"
    last = index + round((GONE_SECONDS + 1) * RATE)  # when all are gone
    frame = Frame(labelled.frame.image, last, last, INFO.time_base, time.monotonic())
    line, zone = watch(LabelledFrame(frame, [], frame.image)).areas
    return {"line in": line.entered, "line out": line.left, "zone in": zone.entered,
            "zone out": zone.left}  # fmt: skip


def exact(found: Mapping[str, Counts], true: Mapping[str, Counts]) -> dict[str, float]:
    """Return the share of clips whose count is the true one, by what is counted, and of all."""
    names = next(iter(true.values()))
    same = {name: [found[clip][name] == true[clip][name] for clip in true] for name in names}
    shares = {name: float(np.mean(rows)) for name, rows in same.items()}
    return shares | {"all": float(np.mean(list(shares.values())))}


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.live.counts",
        description="Score the counts of a line and a zone on composed clips of people who walk "
        "through the picture: shares of clips with the exact count.",
    )
    add_fields(arguments, CountSettings)
    add_fields(arguments, Recognition)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(CountSettings, args), recognition_of(args)))


def _run(settings: CountSettings, recognition: Recognition) -> int:
    material, factory = settings.material(), AnalysisFactory(recognition)
    found, true = {}, {}
    for seed in tqdm(range(settings.seed, settings.seed + settings.seeds), "clips", disable=None):
        rng = np.random.default_rng(seed)
        people = walkers(material.cutouts, rng, count=1 + seed % settings.most)
        frames, clip = walk(people, rooms=material.rooms, rng=rng), str(seed)
        true[clip], found[clip] = truth(people), counted(frames, factory)
        print(f"{clip}: {len(people)} people, {found[clip]}, true {true[clip]}", flush=True)
    shares = exact(found, true)
    print(f"{material}, {factory.description}")
    print(markdown(("clips", *shares), [(len(true), *shares.values())]))
    if settings.json:
        write_figures(settings.json, {"exact": shares, "found": found, "true": true})
    return 0


if __name__ == "__main__":
    sys.exit(main())
