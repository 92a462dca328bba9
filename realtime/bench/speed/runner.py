"""Runs the side-by-side bench: round after round of every group, until the time is over."""

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realtime.bench.speed.line_up import CONFIGURATIONS, failure
from realtime.bench.speed.measure import ROOT, ProcessRun, measured
from realtime.bench.speed.plan import (
    START,
    GroupPlan,
    Trial,
    cameras,
    in_order,
    on_cores,
)
from realtime.bench.speed.results import Results, Run, Skip
from realtime.bench.speed.scenes import RATE, SceneMaker
from realtime.runtime.worker import core_numbers

LIMIT = 300.0  # seconds that one process may take
SCRIPT = "run_realtime.py"
STATS = "stats"


@dataclass(frozen=True)
class StreamCounts:
    """Frames written and dropped, detections, and the age of labels, as in `Run`."""

    written: int
    detections: int = 0
    dropped: int = 0
    age: float = 0.0


@dataclass(eq=False)
class Runner:
    """Runs trials and keeps what they gave.

    Attributes:
        folder: scratch.
        save: is called after every run.
        tell: takes a line of progress.
        until: of time.monotonic(), after which no run starts.
    """

    folder: Path
    scenes: SceneMaker
    results: Results
    save: Callable[[], None]
    tell: Callable[[str], None]
    until: float
    _warm: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """True once the time is over."""
        return time.monotonic() >= self.until

    def round(self, group: str, planned: GroupPlan, number: int) -> None:
        """Run a round of a group; what an earlier run has is left out, and what failed."""
        for trial in in_order(planned.trials, number):
            if self.over:
                return
            if not (self.results.has(trial.key, number) or self._failed(group, trial)):
                self._run(group, trial, number)

    def _failed(self, group: str, trial: Trial) -> bool:
        place = (group, trial.key.series)
        return any((skip.group, skip.series) == place for skip in self.results.skips)

    def _run(self, group: str, trial: Trial, number: int) -> None:
        name = f"{trial.key.group} {trial.key.series} {trial.key.x or ''}".strip()
        try:
            clip = self.scenes.write(trial.scene)
            if trial.key.group == START and trial.program.name not in self._warm:
                self._process(trial, clip)  # fills the caches of files and of compiled networks
                self._warm.add(trial.program.name)
            process, command = self._process(trial, clip)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            self.results.skip(Skip(group, trial.key.series, failure(error)))
            self.tell(f"{name}: {failure(error)}")
        else:
            self.results.runs.append(self._record(trial, number, process, command))
            self.tell(f"round {number + 1}, {name}: {process.seconds:.2f} s")
        self.save()

    def _process(self, trial: Trial, clip: Path) -> tuple[ProcessRun, list[str]]:
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        (out / STATS).mkdir(parents=True)
        if trial.streams:
            command = streams_command(trial, clip, out)
        else:
            command = trial.program.command(clip, out / "out.mp4")
        command = on_cores(command, trial.cores, core_numbers())
        return measured(command, out, limit=LIMIT), command

    def _record(
        self, trial: Trial, number: int, process: ProcessRun, command: Sequence[str]
    ) -> Run:
        reports = [
            json.loads(path.read_text()) for path in (self.folder / "out" / STATS).glob("*.json")
        ]
        counts = stream_counts(reports) if trial.streams else StreamCounts(trial.scene.frames)
        seconds = max(map(_shown_seconds, reports)) if trial.streams else process.seconds
        return Run(
            key=trial.key,
            round=number,
            frames=counts.written,
            seconds=seconds,
            cpu=process.cpu,
            memory=process.memory,
            size=process.size,
            command=shown(command, self.folder),
            analysed=counts.detections,
            dropped=counts.dropped,
            age=counts.age,
        )


def streams_command(trial: Trial, clip: Path, out: Path) -> list[str]:
    """The app with so many cameras that show a clip, each into a file of its own."""
    seconds = float(trial.scene.frames / RATE)
    several = trial.streams > 1
    paths = [str(out), str(out / STATS)] if several else [
        str(out / "out.mp4"), str(out / STATS / "out.json")
    ]  # fmt: skip
    return [
        sys.executable, str(ROOT / SCRIPT), "--video", *cameras(clip, trial.streams, seconds),
        "-o", paths[0], "--stats", paths[1], *CONFIGURATIONS[trial.program.name],
    ]  # fmt: skip


def stream_counts(reports: Sequence[dict]) -> StreamCounts:
    """The counts of all sources together, from the reports of --stats."""
    frames = [report["frames"] for report in reports]
    return StreamCounts(
        written=sum(one["written"] for one in frames),
        detections=sum(one["stages_ms"].get("locate", {}).get("count", 0) for one in reports),
        dropped=sum(one["dropped"] for one in frames),
        age=max((_label_age(one) for one in reports), default=0.0),
    )


def _shown_seconds(report: dict) -> float:
    """Seconds from the first frame that was written to the end; of all if there was none."""
    return report["seconds"] - (report["first_frame_seconds"] or 0.0)


def _label_age(report: dict) -> float:
    """Milliseconds of the labels' age, of frames that wait for their own that of the frame."""
    ages = report.get("label_age_ms") or report.get("latency_ms") or {}
    return ages.get("p95", 0.0)


def shown(command: Sequence[str], folder: Path) -> str:
    """A command as a shell takes it, without this machine's folders and the text of scripts."""
    words = []
    for before, word in zip(("", *command), command, strict=False):
        if before == "-c" and "\n" in word:
            word = "SCRIPT"
        word = word.replace(sys.executable, "python").replace(f"{ROOT}/", "")
        word = word.replace(str(Path(sys.executable).parent) + "/", "")
        words.append(word.replace(f"{folder}/", ""))
    return shlex.join(words)
