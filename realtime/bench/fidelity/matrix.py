"""The fidelity matrix: every input through the app, and a verdict on each property of the output.

`python -m realtime.bench fidelity` prints it. The app runs as from the command line, but that its
networks are loaded once, and without finding anything, into each kind of file of OUTPUTS.
"""

import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import av
from tqdm import tqdm

from preprocessing.errors import exit_status
from realtime.bench.fidelity.contents import Content, read, read_animation
from realtime.bench.fidelity.inputs import CONTAINERS, GIF, WEBP, Cell, build, cells
from realtime.bench.fidelity.verdicts import EXACT, PROPERTIES, REPORTED, WRONG, holds, verdicts
from realtime.cli import run_one
from realtime.flags import read_settings
from realtime.library.recogniser import Recogniser
from realtime.runtime.logs import logging_to
from realtime.settings import Recognition

OUTPUTS = ("mp4", "mkv")
APP = ("--model", "deep", "--locate", "none")
WORST = (EXACT, REPORTED, WRONG)
UNREADABLE = (av.FFmpegError, OSError, ValueError)


@dataclass(frozen=True)
class Result:
    """A cell's output.

    Attributes:
        output: the kind of file, or the program that wrote it.
        verdicts: on each of PROPERTIES.
        lines: that the program printed about it.
    """

    cell: Cell
    output: str
    verdicts: dict[str, str]
    lines: str = ""

    @property
    def verdict(self) -> str:
        """The worst one."""
        return max(self.verdicts.values(), key=WORST.index)


def usual(cell: Cell) -> bool:
    """True for the cells of the matrix.

    Every sound with every clock beside a container's first codec; the other codecs with one sound,
    and without any.
    """
    codecs = CONTAINERS[cell.container]
    sound = "Opus" if cell.container == "webm" else "AAC"
    return cell.codec == codecs[0] or cell.sound in ("none", sound)


def inputs(folder: Path, wanted: Iterable[Cell]) -> Iterator[tuple[Cell, Path, Content]]:
    """Build the files of those cells that there can be."""
    os.environ.setdefault("SVT_LOG", "1")  # its encoder prints else
    for cell in wanted:
        path = build(cell, folder)
        given = content_of(path, animation=cell.codec in (GIF, WEBP)) if path else None
        if path and given and holds(cell, given):
            yield cell, path, given


def content_of(path: Path, *, animation: bool = False) -> Content | None:
    """The content of a video; None if it cannot be read."""
    try:
        return read_animation(path) if animation else read(path)
    except UNREADABLE:
        return None


def through_app(cell: Cell, path: Path, given: Content, *, output: str) -> Result:
    """Run the app on an input."""
    out, printed = path.with_name(f"out.{output}"), io.StringIO()
    out.unlink(missing_ok=True)
    settings = read_settings(["--video", str(path), "-o", str(out), *APP])
    recogniser = _recogniser(settings.recognition)
    with redirect_stderr(printed), logging_to(None):
        status = exit_status(lambda: run_one(str(path), settings, recogniser).status)
    lines = "\n".join(line for line in printed.getvalue().splitlines() if path.name in line)
    return Result(cell, output, judged(given, None if status else content_of(out), lines), lines)


@cache
def _recogniser(recognition: Recognition) -> Recogniser:
    return Recogniser(recognition, concurrent=False)


def judged(given: Content, found: Content | None, lines: str = "") -> dict[str, str]:
    """Verdicts on what a program made of an input; None for nothing that can be read."""
    return dict.fromkeys(PROPERTIES, WRONG) if found is None else verdicts(given, found, lines)


def matrix(folder: Path) -> list[Result]:
    """The results of all usual cells."""
    found = []
    for cell, path, given in tqdm(inputs(folder, filter(usual, cells())), disable=None):
        found += [through_app(cell, path, given, output=output) for output in OUTPUTS]
        path.unlink()
    return found


def table(results: Sequence[Result]) -> str:
    """Counts of verdicts by container and codec, and every cell that is not exact."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for one in results:
        counts.setdefault((one.cell.container, one.cell.codec), Counter())[one.verdict] += 1
    lines = [f"{'container':10s}{'codec':14s}" + "".join(f"{word:>9s}" for word in WORST)]
    for (container, codec), some in counts.items():
        numbers = "".join(f"{some[word]:9d}" for word in WORST)
        lines.append(f"{container:10s}{codec:14s}{numbers}")
    total = Counter(one.verdict for one in results)
    lines.append(f"{len(results):4d} cells{'':14s}" + "".join(f"{total[w]:9d}" for w in WORST))
    for one in results:
        if one.verdict != EXACT:
            lines.append(f"{one.cell.name} to {one.output}: {_inexact(one)} {one.lines}".rstrip())
    return "\n".join(lines)


def _inexact(one: Result) -> str:
    return ", ".join(f"{name} {word}" for name, word in one.verdicts.items() if word != EXACT)


def write_json(path: Path, results: Sequence[Result]) -> None:
    """Write every cell with its verdicts."""
    rows = [{**asdict(one.cell), **{k: v for k, v in asdict(one).items() if k != "cell"}}
            for one in results]  # fmt: skip
    path.write_text(json.dumps(rows, indent=1) + "\n")
