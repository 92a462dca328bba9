"""The side-by-side bench: plans every group, runs them round by round, writes figures and page."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from preprocessing.errors import UsageError
from realtime.bench.settings import BenchSettings
from realtime.bench.speed.html_page import write_page
from realtime.bench.speed.line_up import Detectors
from realtime.bench.speed.machine import this_machine
from realtime.bench.speed.plan import GROUPS, START_FRAMES, GroupPlan, plan
from realtime.bench.speed.results import Results, Skip, read, resumed, write
from realtime.bench.speed.runner import Runner
from realtime.bench.speed.scenes import SceneMaker


@dataclass(frozen=True)
class Outputs:
    """Where results go after every run, and the page after every round of a group."""

    json: Path | None
    html: Path | None

    def save(self, results: Results) -> None:
        """Write the figures.

        Raises:
            SinkError: they cannot be written.
        """
        if self.json:
            write(self.json, results)

    def show(self, results: Results) -> None:
        """Write the page.

        Raises:
            SinkError: it cannot be written.
        """
        if self.html:
            write_page(self.html, results)


def side_by_side(folder: Path, settings: BenchSettings, tell: Callable[[str], None]) -> Results:
    """Run the bench; a run that is interrupted leaves its figures and a page.

    Args:
        folder: scratch.
        tell: takes a line of progress.

    Raises:
        UsageError: an unknown group, or results of another machine.
        DataError: the people or the earlier results are missing or damaged.
    """
    unknown = [name for name in settings.groups if name not in GROUPS]
    if unknown:
        raise UsageError(f"--groups has the unknown {', '.join(unknown)}: wanted some of "
                         f"{', '.join(GROUPS)}")  # fmt: skip
    if settings.frames <= START_FRAMES:
        raise UsageError(f"--frames must be above {START_FRAMES} here, those of a start")
    outputs = Outputs(settings.json, settings.html)
    if not settings.minutes:
        return _shown_again(settings.json, outputs)
    started = time.monotonic()
    results = resumed(settings.json, this_machine(), settings.frames)
    scenes = SceneMaker(folder, settings.video, settings.data)
    runner = Runner(
        folder=folder,
        scenes=scenes,
        results=results,
        save=lambda: outputs.save(results),
        tell=tell,
        until=started + 60 * settings.minutes,
    )
    try:
        _rounds(runner, settings, lambda: outputs.show(results))
    finally:
        outputs.save(results)
        outputs.show(results)
    return results


def _shown_again(path: Path | None, outputs: Outputs) -> Results:
    """The results of a file, whose page is written."""
    if path is None:
        raise UsageError("--minutes 0 writes the page of earlier figures: give their --json FILE")
    results = read(path)
    outputs.show(results)
    return results


def _rounds(runner: Runner, settings: BenchSettings, show: Callable[[], None]) -> None:
    detectors = Detectors(runner.folder)
    plans: dict[str, GroupPlan] = {}
    for number in range(settings.rounds):
        for group in settings.groups or GROUPS:
            if runner.over:
                runner.tell(f"{settings.minutes:g} minutes are over")
                return
            if group not in plans:
                plans[group] = _planned(runner, group, settings.frames, detectors)
            runner.round(group, plans[group], number)
            show()


def _planned(runner: Runner, group: str, frames: int, detectors: Detectors) -> GroupPlan:
    results, scenes = runner.results, runner.scenes
    if group != "people":
        results.clips[group] = f"The clip: {scenes.person}."
    planned = plan(group, frames, detectors=detectors, scenes=scenes)
    results.skips = [skip for skip in results.skips if skip.group != group]  # tried again
    for absent in planned.absent:
        results.skip(Skip(group, absent.name, absent.reason))
    return planned
