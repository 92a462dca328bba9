"""`--report FILE.html`: what was seen when, in one file that any browser opens.

Written anew every few seconds of the source, so that a killed run leaves the last one.
"""

import base64
import html
import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2

from preprocessing.errors import SinkError
from realtime.sinks.best_crops import BestCrops, Crop
from realtime.types import Frame, Garment

EVERY = 10.0  # seconds of wall time between two reports
THUMBNAIL = 160  # pixels of the longer side
MOST = 300  # garments shown, those longest in view
STYLE = """
:root{color-scheme:light dark;--ground:light-dark(#f6f6f4,#16181b);--card:light-dark(#fff,#202327);
--ink:light-dark(#1c1e21,#e8e8e6);--faint:light-dark(#5d6167,#a2a6ac);
--line:light-dark(#d9dadb,#383c42);--bar:light-dark(#0064a0,#56b4e9)}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--ground);color:var(--ink);
font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.3rem;margin:0}h2{font-size:1rem;margin:1.6rem 0 .5rem}
p{color:var(--faint);margin:.2rem 0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .5rem;
border-bottom:1px solid var(--line);vertical-align:middle}th{font-size:.8rem;color:var(--faint)}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
img{height:4.5rem;width:4.5rem;object-fit:contain;background:var(--card);border-radius:.3rem}
svg{width:100%;height:.8rem;background:var(--card);border-radius:.2rem;min-width:8rem}
rect{fill:var(--bar)}td.line{width:40%}
@media(max-width:40rem){td.line,th.line{display:none}}
"""


@dataclass(eq=False)
class Stay:
    """One track: its last name and colour, seconds in view, and when."""

    label: str
    colour: str
    spans: list[list[float]]  # [from, until] in seconds, apart by more than a missing frame
    thumbnail: str = ""  # a data: address

    @property
    def seconds(self) -> float:
        """How long it was in view."""
        return sum(until - since for since, until in self.spans)


class ReportSink:
    """Timeline, thumbnails, counts, seconds in view and colours of the garments of a run.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path, *, source: str):
        self._path, self._source = path, source
        self._best = BestCrops()
        self.see = self._best.see
        self._stays: dict[int, Stay] = {}
        self._time, self._step, self._frames = 0.0, 0.0, 0
        self._due = time.monotonic() + EVERY
        self._save()

    def __enter__(self) -> "ReportSink":
        return self

    def write(self, frame: Frame, garments: list[Garment]) -> None:
        """Note a frame's garments.

        Raises:
            SinkError: the report cannot be written any more.
        """
        self._step = frame.time - self._time if self._frames else 0.0
        self._time, self._frames = frame.time, self._frames + 1
        for garment in garments:
            if garment.label.known:
                self._note(garment, frame.time)
        for crop in self._best.until(frame):
            if crop.garment.track in self._stays:
                self._stays[crop.garment.track].thumbnail = data_address(crop)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY
            self._save()

    def _note(self, garment: Garment, now: float) -> None:
        label, colour = garment.label.name, garment.colour
        stay = self._stays.setdefault(garment.track, Stay(label, colour, []))
        stay.label, stay.colour = label, colour
        if stay.spans and now - stay.spans[-1][1] <= 1.5 * self._step:
            stay.spans[-1][1] = now
        else:
            stay.spans.append([now, now])

    def _save(self) -> None:
        """Write the whole report beside the old one, then take its place."""
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            beside.write_text(self._page(), encoding="utf-8")
            os.replace(beside, self._path)
        except OSError as error:
            raise SinkError(f"cannot write {self._path}: {error.strerror}") from error

    def _page(self) -> str:
        length = max(self._time + self._step, 1e-3)
        shown = sorted(self._stays.items(), key=lambda item: -item[1].seconds)[:MOST]
        rows = "\n".join(_row(track, stay, length) for track, stay in sorted(shown))
        left_out = len(self._stays) - len(shown)
        more = f"<p>{left_out} more were in view for a shorter time.</p>" if left_out else ""
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Garments in {html.escape(self._source)}</title><style>{STYLE}</style></head><body>
<h1>Garments in {html.escape(self._source)}</h1>
<p>{self._frames} frames, {clock(length)}, {len(self._stays)} garments</p>
<h2>By class</h2>
{_classes(self._stays)}
<h2>By garment</h2>
<table><tr><th>best picture</th><th>garment</th><th class="number">in view</th>
<th class="line">0:00 to {clock(length)}</th></tr>
{rows}
</table>{more}
</body></html>
"""

    def __exit__(self, *exc_info: object) -> None:
        self._save()


def _classes(stays: dict[int, Stay]) -> str:
    """A table of the classes: tracks, seconds in view, colours."""
    members: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays.values():
        members[stay.label].append(stay)
    rows = []
    for label, some in sorted(members.items(), key=lambda item: -len(item[1])):
        colours = Counter(stay.colour for stay in some if stay.colour).most_common()
        told = ", ".join(f"{html.escape(colour)} {count}" for colour, count in colours)
        seconds = sum(stay.seconds for stay in some)
        rows.append(f'<tr><td>{html.escape(label)}</td><td class="number">{len(some)}</td>'
                    f'<td class="number">{clock(seconds)}</td><td>{told}</td></tr>')  # fmt: skip
    return ('<table><tr><th>class</th><th class="number">garments</th>'
            '<th class="number">in view</th><th>colours</th></tr>\n'
            + "\n".join(rows) + "\n</table>")  # fmt: skip


def _row(track: int, stay: Stay, length: float) -> str:
    shares = [(100 * since / length, 100 * (until - since) / length) for since, until in stay.spans]
    bars = "".join(
        f'<rect x="{start:.3f}" width="{max(share, 0.4):.3f}" height="10"/>'
        for start, share in shares
    )
    picture = f'<img alt="" src="{stay.thumbnail}">' if stay.thumbnail else ""
    name = html.escape(f"{stay.colour} {stay.label}".strip())
    first, last = clock(stay.spans[0][0]), clock(stay.spans[-1][1])
    return (f"<tr><td>{picture}</td><td>{name}<p>number {track}, {first} to {last}</p></td>"
            f'<td class="number">{clock(stay.seconds)}</td><td class="line">'
            f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
            f'aria-label="in view from {first} to {last}">{bars}</svg></td></tr>')  # fmt: skip


def data_address(crop: Crop) -> str:
    """A crop's thumbnail as a data: address."""
    scale = min(1.0, THUMBNAIL / max(crop.image.shape[:2]))
    small = cv2.resize(crop.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def clock(seconds: float) -> str:
    """ "1:02:03", "2:03" or "0:03.4": a time as people write it."""
    if seconds < 10:
        return f"0:{seconds:04.1f}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
