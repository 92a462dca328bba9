"""The sound of a file, copied unchanged into the labelled video."""

import logging
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from preprocessing.errors import printable
from realtime.sinks.sound_tracks import AudioTrack, codec_name, why_left_out
from realtime.sources.sound import FileSound, PictureTimes
from realtime.sources.timeline import Timeline
from realtime.types import WHOLE, Part, Sound

SEEKING_MARGIN = 2  # seconds of sound that may be stored before the picture of its time
INSTANT = 1e-6  # seconds
MAX_WAITING = 64  # packets of sound behind a jump, until that of the picture is reached
# Packets that are kept of sound that an edit list hides, for what decoders need before they are
# right. In Matroska, which cannot hide them, they are heard.
PREROLL = {"matroska": 1}
DEFAULT_PREROLL = 4
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


def kind_of_output(output: "av.container.OutputContainer") -> str:
    """Name the kind of an output by its suffix, or by FFmpeg's name of its container."""
    return Path(output.name).suffix or output.format.name
