"""Follow garments through a video, and print when each came into view and left it."""

import sys

from realtime import Recogniser


def main(video: str) -> None:
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    name: dict[int, str] = {}  # by track; its label may become surer from frame to frame
    for frame, garments in Recogniser().track(video):
        for garment in garments:
            first.setdefault(garment.track, frame.time)
            last[garment.track] = frame.time
            name[garment.track] = f"{garment.colour} {garment.label.name}"
    for track in sorted(first, key=first.__getitem__):
        print(f"{first[track]:8.2f} s to {last[track]:8.2f} s  {name[track]} (track {track})")


if __name__ == "__main__":
    main(*sys.argv[1:])
