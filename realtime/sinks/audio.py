"""The sound of a file, copied unchanged into the labelled video."""

import io
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream

from preprocessing.errors import printable
from realtime.sources.sound import FileSound, PictureTimes
from realtime.sources.streams import track_tags
from realtime.sources.timeline import BACK, Timeline
from realtime.types import WHOLE, Part, Sound

SEEKING_MARGIN = 2  # seconds of sound that may be stored before the picture of its time
INSTANT = 1e-6  # seconds
MAX_WAITING = 64  # packets of sound behind a jump, until that of the picture is reached
KEEPING = {"matroska": ".mkv", "mov": ".mov", "mp4": ".mp4"}  # FFmpeg's containers, widest first
# Packets that are kept of sound that an edit list hides, for what decoders need before they are
# right. In Matroska, which cannot hide them, they are heard.
PREROLL = {"matroska": 1}
DEFAULT_PREROLL = 4
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


class AudioCopy:
    """Passes the input's audio packets into an output container.

    A track that the output cannot hold is left out with a warning. Times that are missing, stand
    still or fall are mended as players do: the sound goes on where it was. What an edit list hides
    is not copied.

    Args:
        sound: of the input, or the path of a file.
        shift: seconds added to its times.
        part: of the input that is copied: to the packet.
    """

    def __init__(
        self,
        sound: str | Sound,
        output: "av.container.OutputContainer",
        *,
        shift: Fraction,
        part: Part = WHOLE,
    ):
        self._sound: Sound = FileSound(sound) if isinstance(sound, str) else sound
        self._output, self._shift, self._part = output, shift, part
        self._kind = kind_of_output(output)
        self._preroll = PREROLL.get(output.format.name, DEFAULT_PREROLL)
        self._tracks: dict[int, AudioTrack] = {}
        samples, name = self._sound.samples(), printable(self._sound.name)
        for number, stream in enumerate(self._sound.tracks, start=1):
            if problem := why_left_out(stream, output.format.name, samples.get(stream.index)):
                logger.warning(
                    "%s: sound track %d (%s) does not fit into %s and is left out: %s",
                    name, number, codec_name(stream) or "unknown codec", self._kind, problem,
                )  # fmt: skip
            else:
                self._tracks[stream.index] = AudioTrack(stream, output, name=f"{name}: sound track "
                                                        f"{number}")  # fmt: skip
        self._packets: Iterator[tuple[float, av.Packet] | None] = iter(())
        if self._tracks:  # asked for at once: else the source keeps no sound
            packets = self._sound.packets([track.source for track in self._tracks.values()])
            self._packets = self._wanted(packets)
        self._next: tuple[float, av.Packet] | None = None

    def copy_until(self, seconds: float) -> None:
        """Write every packet that is there and starts no later than `seconds`."""
        while True:
            self._next = self._next or next(self._packets, None)
            if self._next is None or self._next[0] > seconds:
                return
            self._mux(self._next[1])
            self._next = None

    def close(self) -> None:
        """Close the input."""
        self._sound.close()

    def _mux(self, packet: "av.Packet") -> None:
        track = self._tracks.get(packet.stream_index)
        if track is None:
            return
        packet.stream = track.target
        try:
            self._output.mux(packet)
        except (av.ArgumentError, av.InvalidDataError) as error:  # not the disk: this sound
            del self._tracks[track.index]
            logger.warning(
                "%s cannot be copied into %s from %.1f s on, and ends there (%s): --no-audio "
                "leaves all sound out",
                track.name, self._kind, float(track.next * track.tick), error.strerror,
            )  # fmt: skip

    def _wanted(
        self, packets: "Iterator[av.Packet | PictureTimes | None]"
    ) -> Iterator[tuple[float, "av.Packet"] | None]:
        """The placed packets that lie in the part, with the one that is sounding where it begins.

        Matroska has no times before 0: there the sound begins with the next one.
        """
        since, until = self._part.since, self._part.until
        if since is not None and self._part.sought:
            self._sound.seek(since - self._shift - SEEKING_MARGIN)
        whole_only = self._output.format.name == "matroska"
        for placed in self._placed(packets):
            if placed is None:
                yield None
                continue
            start, packet = placed
            length = 0.0 if whole_only else float((packet.duration or 0) * (packet.time_base or 0))
            earliest = None if since is None else float(since) + (0 if whole_only else INSTANT)
            if earliest is not None and start + length < earliest:
                continue
            if until is None or start < float(until):
                yield placed

    def _placed(
        self, packets: Iterator["av.Packet | PictureTimes | None"]
    ) -> Iterator[tuple[float, "av.Packet"] | None]:
        """The packets with their times in the output, each after its start in seconds.

        Sound may reach a jump of the clock before the picture does, which decides by how much times
        are moved: until then it waits. None stands for a packet that is not there yet.
        """
        picture = self._sound.picture
        timeline = Timeline(picture) if picture else None
        waiting: list[av.Packet] = []
        for packet in self._heard(self._read(packets)):
            track = self._tracks.get(packet.stream_index) if packet else None
            if packet is None:
                yield None
            elif track is None or isinstance(packet, PictureTimes):
                if timeline and timeline.place(packet):
                    yield from self._released(waiting, timeline)
            elif timeline and (waiting or track.falls(packet, timeline)):
                waiting.append(packet)
                if len(waiting) > MAX_WAITING:
                    yield from self._released(waiting, timeline)
            else:
                yield self._place(track, packet, timeline)
        yield from self._released(waiting, timeline)

    def _read(
        self, packets: Iterator["av.Packet | PictureTimes | None"]
    ) -> Iterator["av.Packet | PictureTimes | None"]:
        """The packets of picture and sound; no end markers. Damaged input ends the sound."""
        try:
            for packet in packets:
                if packet is None or packet.size:
                    yield packet
        except (av.FFmpegError, OSError) as error:
            logger.warning("%s: its sound ends early, it cannot be read further (%s)",
                           printable(self._sound.name),
                           getattr(error, "strerror", None) or error)  # fmt: skip

    def _heard(
        self, packets: Iterator["av.Packet | PictureTimes | None"]
    ) -> Iterator["av.Packet | PictureTimes | None"]:
        """The packets without the sound that an edit list hides, but for the last of it."""
        hidden = {index: deque[av.Packet](maxlen=self._preroll) for index in self._tracks}
        for packet in packets:
            waiting = hidden.get(packet.stream_index) if isinstance(packet, av.Packet) else None
            if waiting is not None and isinstance(packet, av.Packet) and packet.is_discard:
                waiting.append(packet)
                continue
            if waiting:
                yield from waiting
                waiting.clear()
            yield packet

    def _released(
        self, waiting: list["av.Packet"], timeline: Timeline | None
    ) -> Iterator[tuple[float, "av.Packet"]]:
        for packet in waiting:
            yield self._place(self._tracks[packet.stream_index], packet, timeline)
        waiting.clear()

    def _place(
        self, track: "AudioTrack", packet: "av.Packet", timeline: Timeline | None
    ) -> tuple[float, "av.Packet"]:
        track.place(packet, timeline)
        start = float(track.last * track.tick + self._shift)
        packet.pts = packet.dts = track.last + round(self._shift / track.tick)
        return start, packet


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


def kind_of_output(output: "av.container.OutputContainer") -> str:
    """Name the kind of an output by its suffix, or by FFmpeg's name of its container."""
    return Path(output.name).suffix or output.format.name


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
