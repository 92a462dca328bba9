"""The counts of zones and lines as a part of the report."""

import html
from collections import defaultdict
from collections.abc import Sequence

from realtime.types import AreaCount

HEADS = ("zone or line", "in", "out", "inside", "mean stay", "longest", "rules broken")


def area_tables(areas: Sequence[AreaCount]) -> str:
    """Return tables of HTML: people by zone and line, and their garments; "" for no area."""
    watched = [area for area in areas if area.kind != "ignored"]
    if not watched:
        return ""
    heads = "".join(f'<th{" class=number" if one else ""}>{head}</th>'
                    for one, head in enumerate(HEADS))  # fmt: skip
    rows = "\n".join(map(_area_row, watched))
    return (f"<h2>Zones and lines</h2>\n<table><tr>{heads}</tr>\n{rows}\n</table>\n"
            + _garments(watched))  # fmt: skip


def _area_row(area: AreaCount) -> str:
    zone = area.kind == "zone"
    mean = clock(area.stayed / area.stays) if area.stays else ""
    own = (str(area.inside), mean, clock(area.longest), str(area.broken)) if zone else ("",) * 4
    cells = (str(area.entered), str(area.left), *own)
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    return f"<tr><td>{html.escape(area.name)}</td>{numbers}</tr>"


def _garments(areas: Sequence[AreaCount]) -> str:
    """A table of what went in and out, by kind and colour, most frequent first."""
    rows = []
    for area in areas:
        counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for (direction, label, colour), count in area.garments.items():
            counts[label, colour][direction] = count
        for (label, colour), ways in sorted(counts.items(), key=lambda one: -sum(one[1].values())):
            name = html.escape(f"{colour} {label}".strip())
            rows.append(f"<tr><td>{html.escape(area.name)}</td><td>{name}</td>"
                        f'<td class="number">{ways.get("in", 0)}</td>'
                        f'<td class="number">{ways.get("out", 0)}</td></tr>')  # fmt: skip
    if not rows:
        return ""
    return ("<table><tr><th>zone or line</th><th>garment</th><th class=number>in</th>"
            "<th class=number>out</th></tr>\n" + "\n".join(rows) + "\n</table>")  # fmt: skip


def clock(seconds: float) -> str:
    """Format seconds as "1:02:03", "2:03" or "0:03.4"."""
    if seconds < 10:
        return f"0:{seconds:04.1f}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
