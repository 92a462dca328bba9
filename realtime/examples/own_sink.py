"""Give every frame to a sink of one's own, on a thread of its own: here a line a new person."""

import sys

from realtime import Recogniser
from realtime.types import LabelledFrame, SourceInfo


class NewPeople:
    """The contract is `Sink` of realtime/sinks/sink.py."""

    needs_picture = False  # nothing has to be drawn

    def open(self, info: SourceInfo) -> None:
        self._known: set[int] = set()
        print(f"{info.name}: {info.width} x {info.height}")

    def write(self, labelled: LabelledFrame) -> None:
        worn = {one.person for one in labelled.garments if one.person}
        for person in sorted(worn - self._known):
            outfit = [one.label.name for one in labelled.garments if one.person == person]
            print(f"{labelled.frame.time:.2f} s: person {person} in {', '.join(outfit)}")
        self._known |= worn

    def close(self, *, complete: bool) -> None:
        print(f"{len(self._known)} people" + ("" if complete else " so far"))


def main(video: str) -> None:
    Recogniser().run(video, [NewPeople()])


if __name__ == "__main__":
    main(*sys.argv[1:])
