"""`--index DIR`: the stays of a run's garments, appended to an index while it goes on.

What takes long, the embedding, is computed on the sink's own thread, once a stay when it has lasted
a while or ends, and once more if a far better crop comes.
"""

import logging
import re
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from preprocessing.errors import WeightsError, printable
from preprocessing.images.colours import cloth_colour, illuminant_gains, nearest_name
from preprocessing.images.regions import Region, garment_pixels
from realtime.runtime.masking import masked, without_login
from realtime.search.schema import Stay, cell_of, schema
from realtime.sinks.pictures import MIN_GAIN, crop_quality
from realtime.types import Frame, Garment, LabelledFrame, SourceInfo

if TYPE_CHECKING:
    from realtime.search.likeness import Embedder
    from realtime.search.storage import RunWriter

GAP = 2.0  # seconds of the source out of view, after which a stay has ended
PART_SECONDS = 0.6  # of the clock, after which what changed is written
PART_STAYS = 500  # or so many
MARGIN = 0.15  # around a garment in its crop, of its longer side
CROP_SIDE, QUALITY = 256, 80  # most pixels of a stored crop's longer side; of its JPEG
FAR_BETTER = 2.0  # times the quality, from which a crop is described again
COLOURS = 9  # last measurements of a stay's colour, of which the median counts
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class BestCrop:
    """The best picture of a garment so far.

    Attributes:
        image: BGR uint8 (h, w, 3), with MARGIN around the garment; region: the garment in it.
    """

    image: np.ndarray
    region: Region
    quality: float
    garment: Garment
    frame: int
    time: float


@dataclass(eq=False)
class OpenStay:
    """A garment in view, as far as it is known.

    Attributes:
        sums: probabilities by name, and `leaves` frames by class, over all frames.
        colours: CIELAB of its last best crops.
        written: quality of the crop that the last version with one has; described: that of the
            embedding's.
    """

    stay: Stay
    sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leaves: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    people: Counter[int] = field(default_factory=Counter)
    colour_names: Counter[str] = field(default_factory=Counter)
    colours: list[np.ndarray] = field(default_factory=list)
    best: BestCrop | None = None
    written: float = 0.0
    described: float = 0.0
    changed: bool = True

    def see(self, garment: Garment, now: float, wall: datetime | None) -> None:
        """Add a frame in which it is in view."""
        stay, label = self.stay, garment.label
        stay.last, stay.last_wall, stay.frames = now, wall, stay.frames + 1
        self.changed = True
        path = label.path or ((label.name, label.probability),)
        leaf = path[-1][0]
        self.leaves[leaf] += 1
        self.paths[leaf] = tuple(name for name, _ in path)
        for name, probability in path:
            self.sums[name] += probability
        self.names[label.name] += 1
        if garment.person:
            self.people[garment.person] += 1
        if garment.colour:
            self.colour_names[garment.colour] += 1

    def _person(self) -> int | None:
        return max(self.people, key=self.people.__getitem__, default=None)

    def version(self) -> Stay:
        """The row as it is known now, without crop and embedding."""
        stay = self.stay
        leaf = _most(self.leaves)
        path = [(name, self.sums[name] / stay.frames) for name in self.paths[leaf]]
        mean = dict(path)
        name = _most(self.names)
        found = replace(
            stay, version=stay.version + 1, person=self._person(),
            name=name,
            probability=mean.get(name, path[-1][1]), leaf=leaf, leaf_p=path[-1][1],
            part_p=path[min(1, len(path) - 1)][1], group_p=path[min(2, len(path) - 1)][1],
            path=[{"name": one, "probability": p} for one, p in path],
            colour=_most(self.colour_names),
        )  # fmt: skip
        if self.colours:
            lab = np.median(self.colours, axis=0)
            found.lightness, found.green_red, found.blue_yellow = map(float, lab)
            found.cell = int(cell_of(lab[None])[0])
            found.colour = found.colour or nearest_name(lab)
        if self.best:
            _add_place(found, self.best)
        return found


def _most(counts: Counter[str]) -> str:
    return max(counts, key=counts.__getitem__, default="")


def _add_place(stay: Stay, best: BestCrop) -> None:
    garment = best.garment
    wearer = garment.region.wearer
    stay.frame, stay.time = best.frame, best.time
    stay.box = [round(float(side), 1) for side in garment.region.box]
    stay.person_box = [round(float(side), 1) for side in wearer.box] if wearer else []
    stay.attributes = list(garment.attributes.items())


class IndexSink:
    """Appends stays to an index.

    Args:
        place: of the camera, in words; "" if it is not known.

    Raises:
        UsageError: pyarrow is not installed.
    """

    needs_picture = False

    def __init__(self, index: Path, *, place: str = ""):
        schema()
        self.target = self._index = index
        self._place = place
        self._run = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}"
        self._numbers = secrets.randbits(39) << 24  # of stays begin there
        self._writer: RunWriter | None = None
        self._stays: dict[int, OpenStay] = {}  # by track
        self._ended: list[OpenStay] = []
        self._due = 0.0
        self._embedder: Embedder | None = None
        self._embeds = True

    def open(self, info: SourceInfo) -> None:
        from realtime.search.storage import RunWriter

        self._info = info
        self._source = printable(masked(info.name))
        self._camera = camera_of(info)
        self._start = created(info)
        self._writer = RunWriter(self._index, self._run)
        self._writer.open()
        self._due = time.monotonic() + PART_SECONDS

    def write(self, labelled: LabelledFrame) -> None:
        frame = labelled.frame
        now, wall = frame.time, self._wall(frame)
        for garment in labelled.garments:
            known = self._stays.get(garment.track)
            if known is None or now - known.stay.last > GAP:
                known = self._begin(garment.track, now, wall)
            known.see(garment, now, wall)
        self._look(labelled)
        for track in [t for t, one in self._stays.items() if now - one.stay.last > GAP]:
            self._end(track)
        if time.monotonic() >= self._due or len(self._ended) >= PART_STAYS:
            self._flush()

    def _wall(self, frame: Frame) -> datetime | None:
        """The clock when a frame was taken; None if that is not known."""
        if self._info.live:
            ago = timedelta(seconds=time.monotonic() - frame.captured)
            return datetime.now(UTC).replace(tzinfo=None) - ago
        return self._start + timedelta(seconds=frame.time) if self._start else None

    def _begin(self, track: int, now: float, wall: datetime | None) -> OpenStay:
        if track in self._stays:
            self._end(track)
        self._numbers += 1
        self._stays[track] = OpenStay(Stay(
            stay=self._numbers, run=self._run, camera=self._camera, source=self._source,
            place=self._place, first=now, last=now, first_wall=wall, last_wall=wall, track=track,
            width=self._info.width, height=self._info.height,
        ))  # fmt: skip
        return self._stays[track]

    def _end(self, track: int) -> None:
        known = self._stays.pop(track)
        known.stay.open, known.changed = False, True
        self._ended.append(known)

    def _look(self, labelled: LabelledFrame) -> None:
        """Keep the crops of a frame that are better than before, and their colours."""
        better = []
        for garment in labelled.garments:
            best = self._stays[garment.track].best
            quality = crop_quality(garment, labelled.frame.image.shape)
            if best is None or quality > MIN_GAIN * best.quality:
                better.append((garment, quality))
        if not better:
            return
        image = labelled.frame.image
        light = illuminant_gains(image, [garment.region for garment in labelled.garments])
        for garment, quality in better:
            known = self._stays[garment.track]
            known.best = cut_out(labelled, garment, quality)
            colour = cloth_colour(garment_pixels(image, garment.region), light)
            known.colours = [*known.colours, colour][-COLOURS:]

    def _flush(self) -> None:
        """Write what changed as a part."""
        assert self._writer is not None, "open() comes first"
        rows = list(self._versions([*self._ended, *self._stays.values()]))
        if rows:
            self._writer.append(rows)
        self._ended = []
        self._due = time.monotonic() + PART_SECONDS

    def _versions(self, stays: Sequence[OpenStay]) -> Iterator[Stay]:
        for known in stays:
            if not known.changed:
                continue
            version = known.version()
            best = known.best
            if best and best.quality > known.written:
                version.crop, known.written = to_jpeg(best.image), best.quality
            lasting = not version.open or version.last - version.first >= GAP
            if best and lasting and best.quality > FAR_BETTER * known.described:
                self._describe(version, best)
                known.described = best.quality
            known.stay.version, known.changed = version.version, False
            yield version

    def _describe(self, version: Stay, best: BestCrop) -> None:
        """Add the embedding of a crop, where the model can give one."""
        if not self._embeds:
            return
        if self._embedder is None:
            from realtime.search.likeness import Embedder

            try:
                self._embedder = Embedder()
            except WeightsError as error:
                logger.warning("%s; the index is without embeddings", error)
                self._embeds = False
                return
        version.embedding, version.crowding = self._embedder(best.image, best.region)

    def close(self, *, complete: bool) -> None:
        for track in list(self._stays):
            self._end(track)
        self._flush()
        assert self._writer is not None, "open() comes first"
        self._writer.close()


def camera_of(info: SourceInfo) -> str:
    """The name of a camera or file, short enough for a folder."""
    name = without_login(info.name).rstrip("/")
    if "://" not in name:
        name = Path(name).stem or "video"
    return re.sub(r"[^\w .-]+", "-", name.partition("://")[2] or name).strip("-. ")[:80] or "video"


def created(info: SourceInfo) -> datetime | None:
    """When a recording began by its file, in UTC without a zone; None if it does not say."""
    try:
        found = datetime.fromisoformat(info.tags.get("creation_time", ""))
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def cut_out(labelled: LabelledFrame, garment: Garment, quality: float) -> BestCrop:
    """A garment with MARGIN around it."""
    frame, region = labelled.frame, garment.region
    x1, y1, x2, y2 = region.window
    margin = round(MARGIN * max(x2 - x1, y2 - y1))
    left, top = max(0, x1 - margin), max(0, y1 - margin)
    image = frame.image[top : y2 + margin, left : x2 + margin].copy()
    moved = replace(region, box=region.box - np.array([left, top, left, top], np.float32),
                    wearer=None)  # fmt: skip
    return BestCrop(image, moved, quality, garment, frame.index, frame.time)


def to_jpeg(image: np.ndarray) -> bytes:
    """A BGR picture as JPEG, its longer side at most CROP_SIDE."""
    scale = CROP_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
