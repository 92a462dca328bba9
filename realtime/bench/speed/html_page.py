"""The page of the side-by-side bench: one HTML file with its plots, tables and commands inside."""

import html
from collections.abc import Iterable
from pathlib import Path

from preprocessing.errors import SinkError
from preprocessing.files import write_whole
from realtime.bench.speed.machine import Machine
from realtime.bench.speed.plan import CROWD_SIZE, GROUPS, START_FRAMES, STREAM_RATE
from realtime.bench.speed.plots import plot
from realtime.bench.speed.results import Results, reasons
from realtime.bench.speed.summary import Figures, Table, table_of

STYLE = """
:root{color-scheme:light dark;--ground:light-dark(#f6f6f4,#16181b);--card:light-dark(#fff,#202327);
--ink:light-dark(#1c1e21,#e8e8e6);--faint:light-dark(#5d6167,#a2a6ac);
--line:light-dark(#d9dadb,#383c42);
--series-0:light-dark(#0064a0,#56b4e9);--series-1:light-dark(#c25700,#f0a050);
--series-2:light-dark(#00795c,#3fc9a0);--series-3:light-dark(#a3427b,#e08fc0);
--series-4:light-dark(#7a5c00,#e0c45c);--series-5:light-dark(#5d6167,#a2a6ac)}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--ground);color:var(--ink);
font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2.2rem 0 .5rem}
p,li{max-width:52rem}p.faint,li{color:var(--faint)}p{margin:.4rem 0}
figure{margin:.6rem 0;padding:.8rem;overflow-x:auto;background:var(--card);border-radius:.4rem}
figure svg{width:100%;min-width:34rem;height:auto;max-width:54rem;display:block;margin:auto}
div.wide{overflow-x:auto}
table{border-collapse:collapse;background:var(--card);font-size:.84rem;
font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.35rem .45rem;border-bottom:1px solid var(--line);
white-space:nowrap}
th{color:var(--faint);font-weight:600;white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}
table.machine td{text-align:left;white-space:normal}
summary{cursor:pointer;color:var(--faint)}
pre{overflow-x:auto;background:var(--card);padding:.6rem;border-radius:.4rem;font-size:.82rem}
"""
INTRODUCTIONS = {
    "programs": (
        "Whole processes on the same clip, start included, one after the other: forwards in one "
        f"round, backwards in the next. The start is a run on {START_FRAMES} frames; CPU time is "
        "that of all cores, without the start. The last columns are how many times as fast as "
        "this program the app is, by the pairs of the rounds."
    ),
    "cores": "Whole processes, start included, bound to so many cores by taskset.",
    "streams": (
        f"Simulated cameras of {STREAM_RATE} frames a second that show the clip, in one command, "
        "each into a file of its own. What the app cannot draw in time it drops, and counts. The "
        "age of labels is that of the frame in which they were detected, in the worst stream."
    ),
    "sizes": "The same clip at other sizes, the start subtracted.",
    "people": (
        f"Composed scenes of {CROWD_SIZE[0]}x{CROWD_SIZE[1]} before a swaying camera, the start "
        "subtracted."
    ),
}


def page(results: Results) -> str:
    """The page as HTML."""
    figures = Figures(results)
    sections = "\n".join(_section(figures, group) for group in GROUPS)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>Speed, side by side</title><style>{STYLE}</style>"
        "<h1>Speed, side by side</h1>"
        "<p class=faint>Medians over n rounds, in brackets the least and the most. Compare "
        "figures of this page with each other: those of another machine, or of another hour of "
        "the same, are others.</p>"
        f"{_machine(results.machine)}{sections}</html>\n"
    )


def write_page(path: Path, results: Results) -> None:
    """Write the page.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        write_whole(path, page(results).encode())
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror} (choose another --html)") from error


def _machine(machine: Machine) -> str:
    memory = f", {machine.memory_gb:.0f} GB" if machine.memory_gb else ""
    units = ", ".join(machine.units) or "unknown"
    lacks = f"; without {', '.join(machine.lacks)}" if machine.lacks else ""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    rows = (
        ("processor", f"{machine.cpu}, {machine.cores} cores{memory}"),
        ("units", units + lacks),
        ("GPU", machine.gpu or "none"),
        ("system", f"{machine.system} {machine.environment}".strip()),
        ("versions", versions + (f" (commit {machine.commit})" if machine.commit else "")),
    )
    cells = "".join(f"<tr><td>{name}<td>{html.escape(text)}" for name, text in rows)
    return f"<h2>Machine</h2><div class=wide><table class=machine>{cells}</table></div>"


def _section(figures: Figures, group: str) -> str:
    results = figures.results
    drawing = plot(figures, group)
    clip = results.clips.get(group, "")
    parts = [f"<section id={group}><h2>{html.escape(GROUPS[group])}</h2>",
             f"<p>{html.escape(INTRODUCTIONS[group])} {html.escape(clip)}</p>"]  # fmt: skip
    if drawing:
        parts += [f"<figure>{drawing}</figure>", _table(table_of(figures, group)),
                  _commands(figures, group)]  # fmt: skip
    else:
        parts.append("<p class=faint>Not measured.</p>")
    parts.append(_items(f"left out, {reason}" for reason in reasons(results.skips, group)))
    return "".join(parts) + "</section>"


def _table(table: Table) -> str:
    head, rows = table
    names = "".join(f"<th scope=col>{html.escape(name)}" for name in head)
    lines = ("".join(f"<td>{html.escape(cell)}" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}" for line in lines)
    return f"<div class=wide><table><thead><tr>{names}<tbody>{body}</table></div>"


def _commands(figures: Figures, group: str) -> str:
    """The command of every series; of its last position where the group has an axis."""
    last = {run.key.series: run.command for run in figures.results.of(group)}
    lines = "\n".join(f"# {series}\n{command}" for series, command in last.items())
    note = "" if group == "programs" else ", one of each series"
    if "SCRIPT" in lines:
        note += "; SCRIPT stands for one of realtime/bench/speed/peer_scripts.py"
    return f"<details><summary>Commands{note}</summary><pre>{html.escape(lines)}</pre></details>"


def _items(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
