"""The garments of pictures on the terminal, for those who ask for no other output."""

import sys
from pathlib import Path

from preprocessing.errors import SinkError, printable
from realtime.types import Garment, LabelledFrame, SourceInfo


class TerminalSink:
    """A line a garment on stdout: label, probability, colour, box, and who wears it."""

    needs_picture = False

    def __init__(self) -> None:
        self._name = ""

    def open(self, info: SourceInfo) -> None:
        self._name = printable(Path(info.name).name)

    def write(self, labelled: LabelledFrame) -> None:
        count = len(labelled.garments)
        noun = "garment" if count == 1 else "garments"
        lines = [f"{self._name}: {count or 'no'} {noun}", *map(_line, labelled.garments)]
        try:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # of stdout: the command ends with the status of this
        except OSError as error:
            raise SinkError(f"cannot write to the terminal: {error.strerror}") from error

    def close(self, *, complete: bool) -> None:
        pass


def _line(garment: Garment) -> str:
    x1, y1, x2, y2 = (round(float(side)) for side in garment.region.box)
    words = [f"{garment.label.name} {garment.label.probability:.2f}", garment.colour,
             f"person {garment.person}" if garment.person else "",
             f"box {x1} {y1} {x2} {y2}"]  # fmt: skip
    return "  " + ", ".join(filter(None, words))
