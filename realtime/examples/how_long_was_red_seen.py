"""Ask a video how long a colour was seen, and on which garments: pip install pandas."""

import sys

import pandas

from realtime import Recogniser


def main(video: str, colour: str = "red", every: str = "0.2") -> None:
    frames = Recogniser().track(video, every=every)
    rows = pandas.concat([garments.to_pandas() for _, garments in frames])
    wanted = rows[rows.colour == colour]
    seconds = wanted.time.nunique() * float(every)
    print(f"{colour} was seen for {seconds:.1f} s")
    for name, some in wanted.groupby("label"):
        start, end = some.time.min(), some.time.max()
        print(f"  {name}: {some.track.nunique()} garments, from {start:.1f} s to {end:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
