"""Count the people of a video by the colour of what they wear above: the jacket, else the top."""

import sys
from collections import Counter, defaultdict

from realtime import Recogniser


def main(video: str) -> None:
    seen: dict[int, Counter[str]] = defaultdict(Counter)  # colours by person, as often as seen
    jackets: set[int] = set()
    for _, garments in Recogniser().track(video):
        for garment in garments:
            names = dict(garment.label.path)
            if garment.person is None or "upper body" not in names:
                continue
            if "outwear" in names and garment.person not in jackets:
                jackets.add(garment.person)
                seen[garment.person].clear()  # what is under the jacket counts no more
            if "outwear" in names or garment.person not in jackets:
                seen[garment.person][garment.colour] += 1
    people = Counter(colours.most_common(1)[0][0] for colours in seen.values())
    for colour, count in people.most_common():
        print(f"{count} in {colour}")


if __name__ == "__main__":
    main(*sys.argv[1:])
