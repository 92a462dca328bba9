"""Labels as subtitles."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from realtime.sinks.rows import TextFile
from realtime.types import Garment, LabelledFrame, SourceInfo


def labels_in(garments: Sequence[Garment]) -> str:
    """The known labels with their colours: a line a person, and one for what nobody wears."""
    lines: dict[int, set[str]] = defaultdict(set)
    for garment in garments:
        if garment.label.known:
            name = " ".join(f"{garment.colour} {garment.label.name}".split())
            lines[garment.person or 0].add(name)
    return "\n".join(
        (f"person {person}: " if person else "") + ", ".join(sorted(lines[person]))
        for person in sorted(lines)
    )


class SubtitleSink:
    """The labels in view, a cue for as long as they stay the same.

    A cue is written when its labels change: a file that is cut short lacks only the last one.
    The format goes by the file's suffix.

    Args:
        suffix: that decides where the file has neither .srt nor .vtt.
    """

    needs_picture = False

    def __init__(self, path: Path, *, suffix: str = ".vtt"):
        self.target, self._file = path, TextFile(path)
        own = path.suffix.lower()
        self._is_srt = (own if own in (".srt", ".vtt") else suffix) == ".srt"
        self._count, self._labels, self._since = 0, "", 0.0
        self._last = self._step = 0.0  # seconds: time of the last frame, and of one frame

    def open(self, info: SourceInfo) -> None:
        self._file.open("" if self._is_srt else "WEBVTT\n\n")

    def write(self, labelled: LabelledFrame) -> None:
        labels, time = labels_in(labelled.garments), labelled.frame.time
        self._step = time - self._last or self._step
        if labels != self._labels:
            self._end_cue(time)
            self._labels, self._since = labels, time
        self._last = time

    def _end_cue(self, until: float) -> None:
        if self._labels and until > self._since:
            self._count += 1
            times = f"{self._timestamp(self._since)} --> {self._timestamp(until)}"
            self._file.write(f"{self._count}\n{times}\n{self._cue(self._labels)}\n\n")

    def _cue(self, labels: str) -> str:
        """The text of a cue, without what a player would take for the next cue or for markup."""
        text = labels.replace("-->", "\u2192")
        if self._is_srt:  # it has no way to write these as themselves
            return text.replace("<", "\u2039").replace("{", "(")
        return text.replace("&", "&amp;").replace("<", "&lt;")

    def _timestamp(self, seconds: float) -> str:
        whole = round(1000 * max(seconds, 0.0))
        minutes, milliseconds = divmod(whole, 60_000)
        point = "," if self._is_srt else "."
        return (f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{point}"
                f"{milliseconds % 1000:03d}")  # fmt: skip

    def close(self, *, complete: bool) -> None:
        try:
            self._end_cue(self._last + self._step)
        finally:
            self._file.close()
