"""`--report FILE.html`: the people and garments of a run, their times in view, in one HTML file.

Written again every few seconds, so that a killed run leaves the last one.
"""

import base64
import html
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2

from preprocessing.errors import SinkError
from preprocessing.files import write_whole
from preprocessing.labels import general_names
from realtime.sinks.events.area_report import area_tables, clock
from realtime.sinks.pictures import BestCrops, Crop
from realtime.types import AreaCount, Garment, LabelledFrame, SourceInfo

SAVE_SECONDS = 10.0  # of wall time between two reports
THUMBNAIL_SIDE = 160  # pixels of the longer side
MAX_GARMENTS = 300  # shown, those longest in view
MAX_TRACKS = 2000  # that are kept; of those before only the counts by class are
MAX_SPANS = 500  # of a track; then the shortest gap between two is closed
logger = logging.getLogger(__name__)
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
class TrackRecord:
    """One track: its last label and colour, who wore it last, and its times in view.

    Attributes:
        person: number; None if nobody wore it.
        spans: [from, until] in seconds, apart by more than a missing frame.
        thumbnail: its best crop as a data: URL; "" before the first.
    """

    label: str
    colour: str
    person: int | None = None
    spans: list[list[float]] = field(default_factory=list)
    thumbnail: str = ""

    @property
    def seconds(self) -> float:
        """Total time in view."""
        return seconds_in_view([self])

    @property
    def name(self) -> str:
        """The label with the colour, if there is one."""
        return f"{self.colour} {self.label}".strip()


@dataclass(eq=False)
class ClassRecord:
    """Garments of one class: their number, seconds in view, and how many had which colour."""

    count: int = 0
    seconds: float = 0.0
    colours: Counter[str] = field(default_factory=Counter)

    def add(self, track: TrackRecord) -> None:
        """Count a track."""
        self.count += 1
        self.seconds += track.seconds
        self.colours.update([track.colour] if track.colour else [])

    def copy(self) -> "ClassRecord":
        """A record that can be added to apart."""
        return ClassRecord(self.count, self.seconds, Counter(self.colours))


class ReportSink:
    """Outfits of people; timeline, thumbnails, counts and colours of the garments of a run."""

    needs_picture = False

    def __init__(self, path: Path):
        self.target = self._path = path
        self._source = ""
        self._best = BestCrops()
        self._tracks: dict[int, TrackRecord] = {}
        self._past: dict[str, ClassRecord] = {}  # of tracks that are kept no more
        self._areas: Sequence[AreaCount] = ()
        self._frames, self._failing = 0, False
        self._time = self._step = 0.0  # seconds: time of the last frame, and of one frame
        self._due = 0.0  # time.monotonic() of the next save

    def open(self, info: SourceInfo) -> None:
        self._source = Path(info.name).name
        self._save()

    def write(self, labelled: LabelledFrame) -> None:
        now = labelled.frame.time
        self._step = now - self._time if self._frames else 0.0
        self._time, self._frames, self._areas = now, self._frames + 1, labelled.areas
        for garment in labelled.garments:
            if garment.label.known:
                self._extend(garment, now)
        for crop in self._best.better(labelled):
            self._tracks[crop.garment.track].thumbnail = data_url(crop)
        if len(self._tracks) > MAX_TRACKS:
            self._drop_oldest(MAX_TRACKS // 10)
        if time.monotonic() >= self._due:
            self._try_save()

    def _extend(self, garment: Garment, now: float) -> None:
        label, colour = garment.label.name, garment.colour
        track = self._tracks.setdefault(garment.track, TrackRecord(label, colour))
        track.label, track.colour = label, colour
        track.person = garment.person or track.person
        if track.spans and now - track.spans[-1][1] <= 1.5 * self._step:
            track.spans[-1][1] = now
        else:
            track.spans.append([now, now])
            if len(track.spans) > MAX_SPANS:
                _close_shortest_gap(track.spans)

    def _drop_oldest(self, count: int) -> None:
        """Keep no more than the counts of the tracks that were not in view for longest."""
        oldest = sorted(self._tracks, key=lambda number: self._tracks[number].spans[-1][1])
        for number in oldest[:count]:
            track = self._tracks.pop(number)
            self._past.setdefault(track.label, ClassRecord()).add(track)

    def _try_save(self) -> None:
        """Save during the run, which goes on without: the next save, or the last, may succeed."""
        try:
            self._save()
            self._failing = False
        except SinkError as error:
            if not self._failing:
                logger.warning("%s; tried again every %.0f s", error, SAVE_SECONDS)
            self._failing = True

    def _save(self) -> None:
        """Write the report so that there is always a whole one."""
        self._due = time.monotonic() + SAVE_SECONDS
        try:
            write_whole(self._path, self._page().encode(errors="replace"))
        except OSError as error:
            raise SinkError(f"cannot write {self._path}: {error.strerror}") from error

    def _page(self) -> str:
        length = max(self._time + self._step, 1e-3)
        shown = sorted(self._tracks.items(), key=lambda item: -item[1].seconds)[:MAX_GARMENTS]
        rows = "\n".join(_row(number, track, length) for number, track in sorted(shown))
        left_out = len(self._tracks) - len(shown)
        more = f"<p>{left_out} more were in view for a shorter time.</p>" if left_out else ""
        past = sum(record.count for record in self._past.values())
        if past:
            more += f"<p>{past} earlier ones are counted by class alone.</p>"
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Garments in {html.escape(self._source)}</title><style>{STYLE}</style></head><body>
<h1>Garments in {html.escape(self._source)}</h1>
<p>{self._frames} frames, {clock(length)}, {len(self._tracks) + past} garments</p>
{area_tables(self._areas)}
{_outfits(self._tracks.values())}
<h2>By class</h2>
{_classes(self._tracks.values(), self._past)}
<h2>By garment</h2>
<table><tr><th>best picture</th><th>garment</th><th class="number">in view</th>
<th class="line">0:00 to {clock(length)}</th></tr>
{rows}
</table>{more}
</body></html>
"""

    def close(self, *, complete: bool) -> None:
        self._save()


def seconds_in_view(tracks: Iterable[TrackRecord]) -> float:
    """The time in which at least one of some tracks was in view."""
    total, end = 0.0, float("-inf")
    for since, until in sorted(span for track in tracks for span in track.spans):
        total += max(0.0, until - max(since, end))
        end = max(end, until)
    return total


def outfit(tracks: Sequence[TrackRecord]) -> list[tuple[str, float]]:
    """The garments of one person with their seconds in view, longest first.

    Tracks of one label are one garment that was lost and found again; a general name adds to the
    longest garment under it.
    """
    members: dict[str, list[TrackRecord]] = defaultdict(list)
    for track in sorted(tracks, key=lambda track: -track.seconds):
        members[track.label].append(track)
    for label in list(members):
        precise = next((other for other in members if label in general_names(other)), None)
        if precise:
            members[precise] += members.pop(label)
    found = [(some[0].name, seconds_in_view(some)) for some in members.values()]
    return sorted(found, key=lambda item: -item[1])


def _outfits(tracks: Iterable[TrackRecord]) -> str:
    """A table of the people: seconds in view, and what each wore; nothing if there is nobody."""
    people: dict[int, list[TrackRecord]] = defaultdict(list)
    for track in tracks:
        if track.person:
            people[track.person].append(track)
    rows = []
    for person, some in sorted(people.items()):
        worn = ", ".join(f"{html.escape(name)} {clock(time)}" for name, time in outfit(some))
        rows.append(f'<tr><td class="number">{person}</td><td class="number">'
                    f"{clock(seconds_in_view(some))}</td><td>{worn}</td></tr>")  # fmt: skip
    if not rows:
        return ""
    return ('<h2>By person</h2>\n<table><tr><th class="number">person</th>'
            '<th class="number">in view</th><th>outfit</th></tr>\n'
            + "\n".join(rows) + "\n</table>")  # fmt: skip


def _close_shortest_gap(spans: list[list[float]]) -> None:
    gaps = [after[0] - before[1] for before, after in pairwise(spans)]
    shortest = gaps.index(min(gaps))
    spans[shortest][1] = spans.pop(shortest + 1)[1]


def _classes(tracks: Iterable[TrackRecord], past: Mapping[str, ClassRecord]) -> str:
    """A table of the classes: tracks, seconds in view, colours."""
    found = {label: record.copy() for label, record in past.items()}
    for track in tracks:
        found.setdefault(track.label, ClassRecord()).add(track)
    rows = []
    for label, record in sorted(found.items(), key=lambda item: -item[1].count):
        colours = ", ".join(
            f"{html.escape(colour)} {count}" for colour, count in record.colours.most_common()
        )
        seconds = clock(record.seconds)
        rows.append(f'<tr><td>{html.escape(label)}</td><td class="number">{record.count}</td>'
                    f'<td class="number">{seconds}</td><td>{colours}</td></tr>')  # fmt: skip
    return ('<table><tr><th>class</th><th class="number">garments</th>'
            '<th class="number">in view</th><th>colours</th></tr>\n'
            + "\n".join(rows) + "\n</table>")  # fmt: skip


def _row(number: int, track: TrackRecord, length: float) -> str:
    bars = "".join(
        f'<rect x="{100 * since / length:.3f}" '
        f'width="{max(100 * (until - since) / length, 0.4):.3f}" height="10"/>'
        for since, until in track.spans
    )
    picture = f'<img alt="" src="{track.thumbnail}">' if track.thumbnail else ""
    name, person = html.escape(track.name), f", person {track.person}" if track.person else ""
    first, last = clock(track.spans[0][0]), clock(track.spans[-1][1])
    times = f"{first} to {last}"
    return (f"<tr><td>{picture}</td><td>{name}<p>number {number}{person}, {times}</p></td>"
            f'<td class="number">{clock(track.seconds)}</td><td class="line">'
            f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
            f'aria-label="in view from {times}">{bars}</svg></td></tr>')  # fmt: skip


def data_url(crop: Crop) -> str:
    """Return a crop's thumbnail as a data: URL."""
    scale = min(1.0, THUMBNAIL_SIDE / max(crop.image.shape[:2]))
    small = cv2.resize(crop.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
