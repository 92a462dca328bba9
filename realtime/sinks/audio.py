"""Copies the audio of a file into an output, packet by packet."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av


class AudioCopy:
    """Passes the input's audio packets, unchanged, into an output container.

    Args:
        shift: seconds added to their times.
    """

    def __init__(self, path: str, output: "av.container.OutputContainer", *, shift: Fraction):
        self._input = av.open(path, metadata_errors="replace")
        streams = self._input.streams.audio
        self._output = output
        self._targets = {s.index: output.add_stream_from_template(s) for s in streams}
        self._packets = _shifted(self._input.demux(*streams) if streams else (), shift)
        self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        """Write every packet that starts no later than `seconds`."""
        while self._next is not None:
            start, packet = self._next
            if start > seconds:
                return
            packet.stream = self._targets[packet.stream.index]
            self._output.mux(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the input."""
        self._input.close()


def _shifted(
    packets: Iterable["av.Packet"], shift: Fraction
) -> Iterator[tuple[float, "av.Packet"]]:
    """The packets with their times shifted, each after its start in seconds; no end markers."""
    for packet in packets:
        if packet.dts is None or packet.time_base is None:
            continue
        ticks = round(shift / packet.time_base)
        packet.dts += ticks
        if packet.pts is not None:
            packet.pts += ticks
        yield float(packet.dts * packet.time_base), packet
