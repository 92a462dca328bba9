"""Sound tracks that are copied: which containers hold them, and the time that each has reached."""

import io
import logging
from collections.abc import Mapping
from fractions import Fraction

import av
from av.audio.stream import AudioStream

from realtime.sources.containers import track_tags
from realtime.sources.timeline import BACK, Timeline

KEEPING = {"matroska": ".mkv", "mov": ".mov", "mp4": ".mp4"}  # FFmpeg's containers, widest first
# By the number of channels, for tracks that do not say where their speakers stand.
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# FFmpeg knows QuickTime's languages by other codes than ISO 639-2/T, which the others take.
QUICKTIME_LANGUAGES = {
    "bod": "tib", "cym": "wel", "deu": "ger", "ell": "gre", "eus": "baq", "fao": "fo ",
    "hrv": "hr ", "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "msa": "may",
    "mya": "bur", "nld": "dut", "pan": "pa ", "sqi": "alb", "srp": "sr ", "swe": "sve",
    "zho": "chi",
}  # fmt: skip
logger = logging.getLogger(__name__)


class AudioTrack:
    """One sound track that is copied, and the time that it has reached.

    Attributes:
        last, next: ticks at which the last packet starts, and at which it ends.
        tick: seconds.
    """

    def __init__(self, source: AudioStream, output: "av.container.OutputContainer", *, name: str):
        self.source, self.name, self.index = source, name, source.index
        self.target = _added(source, output)
        self.target.metadata.update(tags_in(output.format.name, track_tags(source.metadata)))
        self.target.disposition = source.disposition
        self.tick = source.time_base or Fraction(1, av.time_base)
        self.last = self.next = 0
        self._begun = self._in_a_row = self._reported = False
        self._own = 0  # ticks by which this track alone is moved
        self._usual = 0  # ticks from packet to packet, for those whose length is not known

    def falls(self, packet: "av.Packet", timeline: Timeline) -> bool:
        """True if a packet lies far before the end of the last one."""
        time = self._time(packet, timeline)
        return self._begun and time is not None and (time - self.next) * self.tick < -BACK

    def place(self, packet: "av.Packet", timeline: Timeline | None) -> None:
        """Move on to a packet: `last` becomes its time."""
        time, length = self._time(packet, timeline), packet.duration or self._usual or 1
        mended = time is None or (self._begun and time <= self.last)
        if time is None or not mended:
            wanted = self.next if time is None else time
        elif self._in_a_row:  # two recordings overlap: the sound draws level with its times
            wanted = self.last + (length + 1) // 2
        else:
            wanted = self.next
            if (time - self.next) * self.tick < -BACK:
                self._own += self.next - time
        if mended:
            self._report()
        elif self._begun:
            self._usual = wanted - self.last
        self.last, self.next = wanted, wanted + length
        packet.duration = length
        self._begun, self._in_a_row = True, mended

    def _time(self, packet: "av.Packet", timeline: Timeline | None) -> int | None:
        """The packet's time in ticks, moved as the picture is: before or after its last jump."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None:
            return None
        if timeline is None:
            return time + self._own
        moved = [time + self._own + round(offset * timeline.tick / self.tick)
                 for offset in (timeline.offset, timeline.before)]  # fmt: skip
        return min(moved, key=lambda at: abs(at - self.next)) if self._begun else moved[0]

    def _report(self) -> None:
        if not self._reported:
            logger.warning(
                "%s: its times are missing, stand still or fall from %.1f s on; they are mended",
                self.name, float(self.next * self.tick),
            )  # fmt: skip
        self._reported = True


def _added(source: AudioStream, output: "av.container.OutputContainer") -> AudioStream:
    """A stream of the output for a copy of a sound track."""
    target = output.add_stream_from_template(source)
    context = target.codec_context
    if context.layout.name.endswith(" channels"):  # mp4 takes no PCM without a layout
        context.layout = LAYOUTS.get(context.channels, context.layout)
    return target


def tags_in(container: str, tags: Mapping[str, str]) -> dict[str, str]:
    """A track's tags as a container of FFmpeg's keeps them."""
    language = tags.get("language", "")
    if container == "mov" and language in QUICKTIME_LANGUAGES:
        return {**tags, "language": QUICKTIME_LANGUAGES[language]}
    return dict(tags)


def why_left_out(stream: AudioStream, container: str, sample: bytes | None) -> str:
    """Return why a container of FFmpeg's cannot hold a sound track, and what can; "" if it can."""
    if fits(stream, container, sample):
        return ""
    if keeping := [suffix for name, suffix in KEEPING.items() if fits(stream, name, sample)]:
        return f"write {keeping[0]} to keep it"
    return "nothing that is written here can hold it; --no-audio leaves all sound out"


def fits(stream: AudioStream, container: str, sample: bytes | None) -> bool:
    """True if a container takes a copy of a sound track: tried, since its list of codecs lies.

    Args:
        sample: content of one of its packets.
    """
    if not stream.codec_context:
        return False
    name = "rtp" if container == "rtsp" else container.split(",")[0]  # rtsp would call a server
    try:
        with av.open(io.BytesIO(), "w", format=name) as trial:
            target = _added(stream, trial)
            trial.start_encoding()
            if sample:
                packet = av.Packet(sample)
                packet.dts = packet.pts = 0
                packet.stream, packet.time_base = target, stream.time_base or Fraction(1, 1000)
                trial.mux(packet)
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def codec_name(stream: AudioStream) -> str:
    """FFmpeg's name of a track's codec; "" for one that it does not know."""
    return stream.codec_context.name if stream.codec_context else ""
