"""Figures from the runs of the side-by-side bench: medians, ranges, ratios, tables as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from realtime.bench.answers import markdown
from realtime.bench.speed.line_up import CONFIGURATIONS, OPENVINO_PREDICT
from realtime.bench.speed.plan import GROUPS, START, START_FRAMES, STREAM_RATE
from realtime.bench.speed.results import Results, Run, reasons


@dataclass(frozen=True)
class Spread:
    """The median and the range of some values."""

    middle: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        numbers = [digits(value) for value in (self.middle, self.low, self.high)]
        return f"{numbers[0]} ({numbers[1]} to {numbers[2]})" if self.n > 1 else numbers[0]


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of values; None for none."""
    return Spread(median(values), min(values), max(values), len(values)) if values else None


def digits(value: float) -> str:
    """A number with about three digits."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of all runs."""

    results: Results

    def runs(self, group: str, series: str, x: int = 0) -> list[Run]:
        """The runs of a place."""
        return [run for run in self.results.of(group) if (run.key.series, run.key.x) == (series, x)]

    def positions(self, group: str) -> list[int]:
        """The positions of a group's axis."""
        return sorted({run.key.x for run in self.results.of(group)})

    def start(self, series: str) -> float:
        """Median seconds of a program's start, the first two frames with it; 0 if unknown."""
        return median([run.seconds for run in self.runs(START, series)] or [0.0])

    def start_cpu(self, series: str) -> float:
        """The same of user and system time."""
        return median([run.cpu for run in self.runs(START, series)] or [0.0])

    def frame_ms(self, run: Run) -> float:
        """Milliseconds of a frame, without the start."""
        seconds = max(run.seconds - self.start(run.key.series), 0.0)
        return 1000 * seconds / (run.frames - START_FRAMES)

    def cpu_ms(self, run: Run) -> float:
        """Milliseconds of user and system time of a frame, without the start."""
        seconds = max(run.cpu - self.start_cpu(run.key.series), 0.0)
        return 1000 * seconds / (run.frames - START_FRAMES)

    def cores_busy(self, run: Run) -> float:
        """Cores that a live run kept busy, without the start."""
        return max(run.cpu - self.start_cpu(run.key.series), 0.0) / run.seconds

    def whole(self, run: Run) -> float:
        """Seconds of the whole process for the bench's frames, estimated for a shorter clip."""
        if run.frames == self.results.frames:
            return run.seconds
        start = min(self.start(run.key.series), run.seconds)
        share = (self.results.frames - START_FRAMES) / (run.frames - START_FRAMES)
        return start + (run.seconds - start) * share

    def fps(self, run: Run) -> float:
        """Frames a second of the whole process."""
        return self.results.frames / self.whole(run)

    def ratios(self, ours: str, theirs: str) -> Spread | None:
        """The speed of a program over another's, whole processes, of the rounds of both."""
        first = {run.round: self.whole(run) for run in self.runs("programs", ours)}
        second = {run.round: self.whole(run) for run in self.runs("programs", theirs)}
        return spread([second[number] / first[number] for number in first if number in second])

    def references(self) -> list[str]:
        """The app's rows over which ratios are formed: each configuration on its first engine."""
        series = self.results.series("programs")
        found = (
            next((one for one in series if one.startswith(f"{name},")), None)
            for name in CONFIGURATIONS
        )
        return [one for one in found if one]


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def table_of(figures: Figures, group: str) -> Table:
    """The head and the rows of a group's table."""
    if group == "programs":
        return _programs(figures)
    if group == "streams":
        return _streams(figures)
    return _curve(figures, group)


def _programs(figures: Figures) -> Table:
    references = figures.references()
    head = ("program", "fps", "CPU ms a frame", "start, s", "memory, MB", "video, MB", "n",
            *(f"{name} / this" for name in references))  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for name in figures.results.series("programs"):
        runs = figures.runs("programs", name)
        rows.append((
            name,
            str(spread([figures.fps(run) for run in runs])),
            str(spread([figures.cpu_ms(run) for run in runs])),
            digits(figures.start(name)) if figures.start(name) else "",
            digits(median(run.memory for run in runs)),
            digits(median(run.size for run in runs) / 1e6),
            str(len(runs)),
            *("1" if one == name else str(figures.ratios(one, name) or "") for one in references),
        ))  # fmt: skip
    return head, rows


UNITS = {"cores": ("core", "cores"), "sizes": ("line", "lines"), "people": ("person", "people")}


def values(figures: Figures, group: str, series: str, x: int) -> list[float]:
    """A figure's values at a place: fps of cores, milliseconds of a frame of the others."""
    runs = figures.runs(group, series, x)
    if group == "cores":
        return [run.frames / run.seconds for run in runs]
    return [figures.frame_ms(run) for run in runs]


def _curve(figures: Figures, group: str) -> Table:
    what = "fps" if group == "cores" else "ms a frame"
    positions = figures.positions(group)
    head = ("program", *(f"{what}, {x} {UNITS[group][x != 1]}" for x in positions), "n")
    rows: list[tuple[str, ...]] = []
    for series in figures.results.series(group):
        cells = [spread(values(figures, group, series, x)) for x in positions]
        counts = sorted({cell.n for cell in cells if cell})
        rows.append((series, *(str(cell or "") for cell in cells), counted(counts)))
    return head, rows + _ratio_rows(figures, group)


def _ratio_rows(figures: Figures, group: str) -> list[tuple[str, ...]]:
    """A row for each of the app's series: how many times as fast as `yolo predict` it is."""
    rows: list[tuple[str, ...]] = []
    for series in figures.results.series(group) if group in UNITS else ():
        cells = [_ratio(figures, group, series, x) for x in figures.positions(group)]
        if series in CONFIGURATIONS and any(cells):
            counts = sorted({cell.n for cell in cells if cell})
            shown = (str(cell or "") for cell in cells)
            rows.append((f"speed of {series} / {OPENVINO_PREDICT}", *shown, counted(counts)))
    return rows


def _ratio(figures: Figures, group: str, series: str, x: int) -> Spread | None:
    """The speed of a series over that of `yolo predict` at a position, by rounds."""
    ours, theirs = (
        {run.round: run.frames / run.seconds if group == "cores" else 1 / figures.frame_ms(run)
         for run in figures.runs(group, name, x) if figures.frame_ms(run) > 0}
        for name in (series, OPENVINO_PREDICT)
    )  # fmt: skip
    return spread([ours[number] / theirs[number] for number in ours if number in theirs])


def counted(counts: Sequence[int]) -> str:
    """Numbers of rounds, as "2" or "1 to 2"."""
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _streams(figures: Figures) -> Table:
    head = ("program", "streams", "frames a second offered", "drawn", "detections a second",
            "dropped, %", "age of labels, ms (95 %)", "CPU cores busy", "n")  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for series in figures.results.series("streams"):
        for x in figures.positions("streams"):
            runs = figures.runs("streams", series, x)
            if runs:
                rows.append((
                    series, str(x), str(x * STREAM_RATE),
                    str(spread([run.frames / run.seconds for run in runs])),
                    str(spread([run.analysed / run.seconds for run in runs])),
                    str(spread([_dropped(run) for run in runs])),
                    str(spread([run.age for run in runs])),
                    digits(median(figures.cores_busy(run) for run in runs)),
                    str(len(runs)),
                ))  # fmt: skip
    return head, rows


def _dropped(run: Run) -> float:
    return 100 * run.dropped / max(1, run.dropped + run.frames)


def text(results: Results) -> str:
    """All tables as Markdown, with what is left out and why."""
    figures, parts = Figures(results), []
    for group, title in GROUPS.items():
        lines = [f"## {title}", ""]
        if results.of(group):
            lines.append(markdown(*table_of(figures, group)))
        lines += [f"- left out, {reason}" for reason in reasons(results.skips, group)]
        if len(lines) > 2:
            parts.append("\n".join(lines))
    return "\n\n".join(parts)
