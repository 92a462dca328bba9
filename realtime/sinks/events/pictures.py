"""`--event-clips` and `--event-snapshots`: what the picture showed around an event."""

import json
from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from preprocessing.errors import SinkError
from preprocessing.images.pictures import write_image
from realtime.sinks.encoders import DEFAULT
from realtime.sinks.rows import TextFile
from realtime.sinks.video import VideoSink
from realtime.types import SOURCE_BACK, SOURCE_LOST, Event, Frame, LabelledFrame, Part, SourceInfo

QUALITY = 92  # of the JPEGs that wait for an event
LONGEST = 120.0  # seconds of a clip that goes on since more happens
INDEX = "clips.jsonl"


def file_stem(event: Event) -> str:
    """Return the name of an event's files: its id and kind."""
    return f"{event.id}-{event.kind.replace(' ', '-')}"


def _make_folder(folder: Path, flag: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {folder} ({error.strerror}): give another {flag} DIR"
                        ) from error  # fmt: skip


class EventSnapshots:
    """A JPEG of the frame of each event, by its id.

    Args:
        labelled: False for the picture without labels.
    """

    def __init__(self, folder: Path, *, labelled: bool):
        self.target = self._folder = folder
        self.needs_picture = labelled

    def open(self, info: SourceInfo) -> None:
        _make_folder(self._folder, "--event-snapshots")

    def write(self, labelled: LabelledFrame) -> None:
        image = labelled.picture if self.needs_picture else labelled.frame.image
        for event in labelled.events:
            write_image(self._folder / f"{file_stem(event)}.jpg", image)

    def close(self, *, complete: bool) -> None:
        pass


@dataclass(eq=False)
class _Clip:
    """A clip that is being written."""

    path: Path
    sink: VideoSink
    begin: Frame
    end: float
    last: float
    events: list[Event] = field(default_factory=list)


class EventClips:
    """An mp4 from some seconds before an event to some after it, with the sound of a file.

    Events that happen meanwhile make the clip longer; clips.jsonl names the events of each. The
    frames before an event are kept as JPEGs.

    Args:
        before, after: seconds.
        labelled: False for the picture without labels.
        encoder: a name of ENCODERS, or "auto".
    """

    def __init__(
        self,
        folder: Path,
        *,
        before: float,
        after: float,
        labelled: bool,
        audio: bool = True,
        encoder: str = DEFAULT,
    ):
        self.target = self._folder = folder
        self.needs_picture = labelled
        self._before, self._after = before, after
        self._audio, self._encoder = audio, encoder
        self._past: deque[tuple[Frame, np.ndarray]] = deque()
        self._index = TextFile(folder / INDEX)
        self._clip: _Clip | None = None
        self._info: SourceInfo | None = None

    def open(self, info: SourceInfo) -> None:
        self._info = info
        _make_folder(self._folder, "--event-clips")
        self._index.open()

    def write(self, labelled: LabelledFrame) -> None:
        image = labelled.picture if self.needs_picture else labelled.frame.image
        frame = labelled.frame
        events = [one for one in labelled.events if one.kind not in (SOURCE_LOST, SOURCE_BACK)]
        if self._clip and (frame.time > self._clip.end or frame.time < self._clip.last):
            self._finish()
        self._forget(frame)
        if events and self._clip is None:
            self._begin(frame, events[0])
        if self._clip:
            self._clip.events += events
            if events:
                longest = self._clip.begin.time + LONGEST
                self._clip.end = max(self._clip.end, min(frame.time + self._after, longest))
            self._add(image, frame)
        self._remember(image, frame)

    def _remember(self, image: np.ndarray, frame: Frame) -> None:
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        self._past.append((replace(frame, image=np.empty((0, 0, 3), np.uint8)), jpeg))

    def _forget(self, frame: Frame) -> None:
        """Drop the frames that no clip of this one would show."""
        if self._past and frame.time < self._past[-1][0].time:
            self._past.clear()
        while self._past and self._past[0][0].time < frame.time - self._before:
            self._past.popleft()

    def _begin(self, frame: Frame, event: Event) -> None:
        """Open a clip, and write the frames before."""
        assert self._info is not None, "open() comes first"
        begin = self._past[0][0] if self._past else frame
        moved = begin.pts * begin.time_base
        info = replace(
            self._info, sound=None, live=False, frames=1, shift=self._info.shift - moved,
            part=Part(Fraction(0), None, sought=True),
        )  # fmt: skip
        path = self._folder / f"{file_stem(event)}.mp4"
        sink = VideoSink(path, audio=self._audio, encoder=self._encoder)
        sink.open(info)
        self._clip = _Clip(path, sink, begin, frame.time + self._after, frame.time)
        for before, jpeg in self._past:
            self._add(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)), before)

    def _add(self, image: np.ndarray, frame: Frame) -> None:
        assert self._clip is not None, "a clip was begun"
        moved = replace(frame, image=image, pts=frame.pts - self._clip.begin.pts)
        self._clip.sink.write(LabelledFrame(moved, (), image))
        self._clip.last = frame.time

    def _finish(self) -> None:
        clip, self._clip = self._clip, None
        if clip is None:
            return
        clip.sink.close(complete=False)
        self._index.write(json.dumps({
            "clip": clip.path.name, "begin": round(clip.begin.time, 6), "end": round(clip.last, 6),
            "events": [event.id for event in clip.events],
        }) + "\n")  # fmt: skip

    def close(self, *, complete: bool) -> None:
        try:
            self._finish()
        finally:
            self._index.close()
