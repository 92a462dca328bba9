"""Video files and network streams, decoded by PyAV."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from time import monotonic

import av
import numpy as np

from preprocessing.errors import BrokenSourceError, DeviceError, SourceError
from realtime.colours.yuv import BgrConverter, colours_of
from realtime.runtime.hanging import Deadline
from realtime.runtime.masking import masked
from realtime.runtime.worker import codec_threads
from realtime.sources.addresses import media_location
from realtime.sources.containers import (
    AUTO,
    HLS_TIMEOUT,
    NONE,
    ByteReader,
    beginning,
    discard_others,
    file_tags,
    log_decoder,
    open_container,
    picture_stream,
    promised_end,
    sound_starts,
    track_tags,
)
from realtime.sources.geometry import orientation_of
from realtime.sources.live_packets import Packets
from realtime.sources.skipping import SkippingReader
from realtime.sources.sound import LookAhead, SoundTape
from realtime.sources.source import OPENING_SECONDS, TIME_BASE, LiveClock, no_picture
from realtime.sources.timeline import DisplayTimes, Timeline, frame_ticks
from realtime.types import Frame, SourceInfo

REORDERED = 16  # frames that a decoder holds back at most, to show them in order
MISSING_TAIL = 0.5  # seconds by which a container may overstate its length


class VideoSource:
    """A video file or network stream; a stream without a length is live.

    Its first frame, or sound that begins before it, is at time 0. A live stream whose container
    has no times (MJPEG over HTTP, raw H.264) takes this machine's clock, from the connection on.

    Args:
        start: ticks of the stream, to read a file from the key frame before; None for its start.
        margin: seconds by which to seek earlier than that.
        shift: seconds added to the file's own times; None for what makes them begin at 0.
        hwaccel: what decodes, as `open_container` takes it.
        file: an open file instead of the URL, which is read once; it is closed at the end.
        insecure: True to take a stream from servers whose certificates are not trusted.
        deadline: of the first picture; None for none, where the file is known to be there.

    Raises:
        SourceError: it does not open, its server is not trusted, or it holds no picture.
        DeviceError: there is no such device, or it cannot decode this.
    """

    def __init__(
        self,
        url: str,
        *,
        network: bool,
        start: int | None = None,
        margin: float = 0.0,
        shift: Fraction | None = None,
        hwaccel: str = "",
        file: ByteReader | None = None,
        insecure: bool = False,
        deadline: Deadline | None = None,
    ):
        self.failed = 0
        self._url, self._name, self._file = url, masked(url), file
        self._read_error: Exception | None = None
        self._skips = False
        self._connected = monotonic()
        self._deadline = deadline
        place = file or media_location(url)
        seconds = deadline.seconds if deadline else OPENING_SECONDS
        self._container = open_container(
            place, url, network=network, hwaccel=hwaccel, seconds=seconds, insecure=insecure
        )
        stream = picture_stream(self._container)
        if stream is None:
            self._container.close()
            raise SourceError(f"no video stream in {self._name}: name a file that holds video")
        self._stream = stream
        self._live = network and not self._container.duration and not self._is_whole_file()
        skips_sound = self._live or self._container.format.name == "hls"  # it may be files apart
        self._sounds = () if skips_sound else tuple(self._container.streams.audio)
        discard_others(self._container, (stream, *self._sounds))
        # Threads that each take a frame would hold as many frames of a live stream back.
        stream.thread_type = "SLICE" if self._live else "AUTO"
        if stream.codec_context:  # else a damaged header names no codec that there is
            # Each thread of a graphics card's decoder takes some of its few surfaces.
            on_device = stream.codec_context.is_hwaccel
            stream.codec_context.thread_count = 1 if on_device else codec_threads()
        if start is not None:
            tick = stream.time_base or Fraction(1, av.time_base)
            self._container.seek(start - round(margin / tick), stream=stream)
        self._timeline, self._to_bgr = Timeline(stream, live=self._live), BgrConverter()
        self._display = DisplayTimes(self._container)
        self._packets = Packets(self._container, (stream, *self._sounds), live=self._live)
        self._tape: SoundTape | None = None
        if file:
            self._tape = SoundTape(url, stream, self._sounds, LookAhead(iter(self._packets)))
        self._reader = SkippingReader(
            self._container, self._tape or self._packets, stream,
            timeline=self._timeline, display=self._display, url=url, network=network,
        )  # fmt: skip
        self._arrived = self._connected  # the packet that is decoded
        self._arrivals: deque[float] = deque(maxlen=REORDERED)
        self._read_until = self._picture_until = Fraction(0)  # seconds: the ends of what was read
        self._due: int | None = None  # ticks of the frame that is wanted next
        self._first = self._decode_first(hwaccel)
        self._time_base = stream.time_base or Fraction(1, av.time_base)
        self._shift = self._read_shift(shift)  # ticks
        self.info = self._read_info()

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._packets.close()
        if self._file and not self._packets.reading:
            self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        if self._tape:
            self._tape.release()
        count, last = 0, None
        clock = LiveClock(self._connected) if self._by_arrival else None
        for picture in self._pictures():
            captured = self._arrived if self._live else monotonic()
            if clock:
                # The first picture shown has the first packet's time: decoding reorders them.
                arrived = self._arrivals.popleft() if self._arrivals else captured
                pts = clock.ticks(arrived if count else self._connected)
            else:
                pts = self._increasing_pts(picture, last)
            if self._due is not None and pts < self._due:
                last = pts
                continue
            yield Frame(self._upright(picture), count, pts, self.info.time_base, captured)
            count, last = count + 1, pts
        self._check_complete(count, last)

    @property
    def first(self) -> int:
        """The time of the first picture that could be decoded, in ticks of the file."""
        return self._first.pts or 0

    @property
    def sought(self) -> bool:
        """True once parts of the file were left out unread."""
        return self._skips and bool(self._reader.may_seek)

    def skip_to(self, pts: int) -> None:
        """Give no more frames before a time in ticks; most of them are not even decoded."""
        self._skips, self._due = True, pts
        self._reader.skip_to(pts - self._shift)

    @property
    def _has_times(self) -> bool:
        flags = av.format.Flags(self._container.format.flags)
        return av.format.Flags.no_timestamps not in flags

    @property
    def _by_arrival(self) -> bool:
        """True if the times are those at which the frames arrived."""
        return self._live and not self._has_times

    def _is_whole_file(self) -> bool:
        """True for a file without times, such as raw H.264, which a web server sends at once."""
        size = self._container.size
        return not self._has_times and bool(size and size > 0)

    def _decode_first(self, hwaccel: str) -> "av.VideoFrame":
        """The first picture, whose orientation decides the upright size."""
        self._decoder = self._decode()
        first = next(self._decoder, None)
        if first is None:
            self._packets.close()
            if isinstance(self._read_error, av.ExitError | TimeoutError):
                raise no_picture(self._name, monotonic() - self._connected)
            if hwaccel not in ("", NONE, AUTO):
                raise DeviceError(f"{hwaccel} decodes no frame of {self._name}: use --hwaccel auto")
            raise SourceError(
                f"{self._name} holds no decodable frame: the file is empty or damaged"
            )
        self._deadline = None
        if hwaccel == AUTO:
            log_decoder(first, self._name)
        return first

    def _read_shift(self, seconds: Fraction | None) -> int:
        """Ticks that are added to all times; none becomes negative."""
        first = (self._first.pts or 0) * self._time_base
        if seconds is None:
            sounds = sound_starts(self._container) if self._sounds else ()
            seconds = -beginning(first, sounds)
        return round(max(seconds, -first) / self._time_base)

    def _pictures(self) -> Iterator["av.VideoFrame"]:
        """Decoded pictures without those before the one that is wanted, where times tell."""
        for picture in chain((self._first,), self._decoder):
            due, pts = self._due, picture.pts
            if due is None or pts is None or pts + self._shift >= due:
                yield picture

    def _upright(self, picture: "av.VideoFrame") -> np.ndarray:
        return orientation_of(picture).upright(self._to_bgr(picture))

    def _decode(self) -> Iterator["av.VideoFrame"]:
        """Decoded pictures; a packet that cannot be decoded is counted and skipped."""
        try:
            for packet, arrived in iter(self._reader.read, None):
                self._arrived = arrived
                if self._deadline and self._deadline.over:
                    raise TimeoutError
                is_picture = packet.stream.index == self._stream.index
                self._see_end(packet, is_picture=is_picture)
                for chosen in self._reader.chosen(packet) if is_picture else ():
                    yield from self._decoded(chosen)
        except (av.FFmpegError, OSError) as error:
            self.failed += 1
            self._read_error = error
            yield from self._decoded(None)  # what the decoder holds back, to show it in order

    def _decoded(self, packet: "av.Packet | None") -> Iterator["av.VideoFrame"]:
        if packet is not None:
            self._display.see(packet)
            if packet.size:
                self._arrivals.append(self._arrived)
        try:
            for picture in self._stream.decode(packet):
                yield self._display.timed(picture)
        except av.FFmpegError:
            self.failed += 1
            if self._arrivals:
                self._arrivals.pop()

    def _see_end(self, packet: "av.Packet", *, is_picture: bool) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base:
            end = (time + (packet.duration or 0)) * packet.time_base
            self._read_until = max(self._read_until, end)
            if is_picture:
                self._picture_until = max(self._picture_until, end)

    def _increasing_pts(self, picture: "av.VideoFrame", last: int | None) -> int:
        """The picture's time in ticks; a frame after `last` if it has none or goes backwards."""
        pts = None if picture.pts is None else picture.pts + self._shift
        if last is None:
            return pts or 0
        return pts if pts is not None and pts > last else last + frame_ticks(self._stream)

    def _check_complete(self, count: int, last: int | None) -> None:
        """Check that the pictures did not end before what their header promises.

        Raises:
            BrokenSourceError: they did, or the stream was interrupted.
        """
        if self._live:
            if self._read_error is not None:
                reason = getattr(self._read_error, "strerror", None) or masked(
                    str(self._read_error)
                )
                raise BrokenSourceError(
                    f"{self._name} broke off after {count} frames ({reason}); they are kept, start "
                    "again to continue"
                )
            return
        end = ((last or 0) - self._shift + frame_ticks(self._stream)) * self._time_base
        end = max(end, self._picture_until)  # the last picture may stand for long
        joined = bool(self._timeline.offset)  # the clock's last time then tells no length
        promised = None if joined else promised_end(self._stream)
        if promised is None and not joined:  # the file's length is known, which sound may give
            end, promised = max(end, self._read_until), self._promised_end_of_file()
        start = (self._first.pts or 0) * self._time_base
        length = float(end if promised is None else promised - start)
        early = float(end - start) < 0.98 * length - MISSING_TAIL if promised is not None else False
        frames = 0 if self._skips else self._stream.frames
        if early or (self._read_error and (count < frames or promised is None)):
            of = frames or f"about {round(count * length / max(float(end - start), 1e-6))}"
            all_of = "" if self._skips else f" of {of}"
            raise BrokenSourceError(
                f"{self._name} is truncated: {count}{all_of} frames; those {count} are kept"
            )

    def _promised_end_of_file(self) -> Fraction | None:
        container = self._container
        if not container.duration:
            return None
        return Fraction((container.start_time or 0) + container.duration, av.time_base)

    def _read_info(self) -> SourceInfo:
        width, height = self._first.width, self._first.height
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        if orientation_of(self._first).swapped:
            width, height, aspect = height, width, 1 / aspect
        rate = self._stream.average_rate or self._stream.guessed_rate
        length = (self._container.duration or 0) / av.time_base
        frames = self._stream.frames or (round(length * rate) if rate and length else None)
        arrival = self._by_arrival
        return SourceInfo(
            name=self._name,
            width=width,
            height=height,
            rate=None if arrival else rate,
            time_base=TIME_BASE if arrival else self._time_base,
            frames=None if self._live else frames,
            live=self._live,
            buffered=self._live,
            silence=HLS_TIMEOUT if self._container.format.name == "hls" else 0.0,
            shift=self._shift * self._time_base,
            path=None if self._live or self._file else self._url,
            sound=self._tape,
            colours=colours_of(self._first),
            aspect=aspect,
            tags=file_tags(self._container),
            track_tags=track_tags(self._stream.metadata),
        )
