"""Plots of the side-by-side bench as SVG, in the colours of the page that holds them.

Matplotlib draws in stand-in colours, which become the page's CSS variables: one plot serves a light
and a dark page.
"""

import io
import re
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from realtime.bench.speed.line_up import CONFIGURATIONS, COPYING, OPENVINO_PREDICT
from realtime.bench.speed.peers import PREDICT
from realtime.bench.speed.plan import GROUPS, STREAM_RATE
from realtime.bench.speed.summary import Figures, digits, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW, PLOT = 8.6, 0.34, 4.0  # inches
# By name of the page's variable: the colour that stands in for it.
STAND_INS = {"ink": "#010101", "faint": "#020202", "line": "#030303"} | {
    f"series-{number}": f"#0404{number:02x}" for number in range(6)
}
OURS, THEIRS, BOUND = "series-0", "series-1", "faint"
MARKERS = "osD^vP"
LABELS = {
    "sizes": ("lines of the frame", "ms a frame"),
    "people": ("people in the frame (1280x720)", "ms a frame"),
    "cores": ("cores", "frames a second, start included"),
    "streams": ("live streams", "frames a second, all streams together"),
}


def plot(figures: Figures, group: str) -> str:
    """A group's plot as an SVG element; "" if it has no runs."""
    if not figures.results.of(group):
        return ""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    colour = STAND_INS.__getitem__
    style: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": group, "font.size": 11,
        "text.color": colour("ink"), "axes.labelcolor": colour("ink"),
        "axes.edgecolor": colour("faint"), "xtick.color": colour("faint"),
        "ytick.color": colour("faint"), "xtick.labelcolor": colour("ink"),
        "ytick.labelcolor": colour("ink"), "grid.color": colour("line"),
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
    }  # fmt: skip
    with pyplot.rc_context(style):
        drawing = _bars(figures) if group == "programs" else _curve(figures, group)
        try:
            return _svg(drawing, title=GROUPS[group])
        finally:
            pyplot.close(drawing)


def _svg(drawing: "Figure", *, title: str) -> str:
    """A drawing as an SVG element in the page's colours, without a size of its own."""
    target = io.StringIO()
    drawing.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    for name, colour in STAND_INS.items():
        text = text.replace(colour, f"var(--{name})")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1system-ui, sans-serif", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def _bars(figures: Figures) -> "Figure":
    from matplotlib import pyplot

    names = figures.results.series("programs")
    drawing, axes = pyplot.subplots(figsize=(WIDTH, ROW * len(names) + 0.9), layout="constrained")
    for row, name in enumerate(names):
        speeds = [figures.fps(run) for run in figures.runs("programs", name)]
        middle = median(speeds)
        axes.barh(row, middle, height=0.7, color=STAND_INS[_kind(name)], alpha=0.85)
        axes.plot(speeds, [row] * len(speeds), "|", color=STAND_INS["ink"], markersize=9)
        axes.annotate(digits(middle), (max(speeds), row), (6, 0), va="center",
                      textcoords="offset points")  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xscale("log")
    _plain(axes.xaxis)
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.3, high * 1.4)
    axes.grid(axis="x", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("frames a second of whole processes, logarithmic")
    return drawing


def _kind(name: str) -> str:
    """The colour of a program's bar: the app's, another program's, or a limit's."""
    if name.partition(",")[0] in CONFIGURATIONS:
        return OURS
    return BOUND if "copy loop" in name or "decoding" in name else THEIRS


def _curve(figures: Figures, group: str) -> "Figure":
    from matplotlib import pyplot

    drawing, axes = pyplot.subplots(figsize=(WIDTH, PLOT), layout="constrained")
    for number, series in enumerate(figures.results.series(group)):
        _line(axes, figures, group, series, number)
    if group == "streams":
        positions = figures.positions(group)
        axes.plot(positions, [x * STREAM_RATE for x in positions], "--", color=STAND_INS["faint"],
                  label="offered")  # fmt: skip
    axes.set_xlabel(LABELS[group][0])
    axes.set_ylabel(LABELS[group][1])
    _scale(axes, figures.positions(group), logarithmic=group in ("sizes", "streams", "cores"))
    if group == "sizes":
        axes.set_yscale("log")
        _plain(axes.yaxis)
    else:
        axes.set_ylim(bottom=0)
    axes.grid(linewidth=0.8)
    axes.set_axisbelow(True)
    drawing.legend(loc="outside upper left", ncols=3)
    return drawing


def _line(axes: "Axes", figures: Figures, group: str, series: str, number: int) -> None:
    """Draw a program: a line through medians, and every round as a bar from least to most."""
    colour = STAND_INS[f"series-{_slot(series, number)}"]
    found = [(x, _shown(figures, group, series, x)) for x in figures.positions(group)]
    found = [(x, some) for x, some in found if some]
    middles = [median(some) for _, some in found]
    low = [middle - min(some) for middle, (_, some) in zip(middles, found, strict=True)]
    high = [max(some) - middle for middle, (_, some) in zip(middles, found, strict=True)]
    axes.errorbar([x for x, _ in found], middles, [low, high], color=colour, label=series,
                  marker=MARKERS[number % len(MARKERS)], capsize=3)  # fmt: skip


def _shown(figures: Figures, group: str, series: str, x: int) -> list[float]:
    if group == "streams":
        return [run.frames / run.seconds for run in figures.runs(group, series, x)]
    return values(figures, group, series, x)


def _slot(series: str, number: int) -> int:
    """The colour of a series: the same one in every plot."""
    fixed = [*CONFIGURATIONS, PREDICT, OPENVINO_PREDICT, COPYING]
    return fixed.index(series) if series in fixed else number % len(fixed)


def _scale(axes: "Axes", positions: Sequence[int], *, logarithmic: bool) -> None:
    from matplotlib.ticker import NullLocator

    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(positions, [str(x) for x in positions])


def _plain(axis: Any) -> None:
    """Label a logarithmic axis by plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
