"""Write the garments of every picture of a folder into one CSV file, with the pictures' names."""

import csv
import sys
from pathlib import Path

from realtime import GarmentError, Recogniser


def main(folder: str, table: str = "garments.csv") -> None:
    recognise = Recogniser()
    with open(table, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("picture", "name", "probability", "colour", "person"))
        for path in sorted(Path(folder).iterdir()):
            try:
                garments = recognise(path)
            except GarmentError as error:  # no picture, or a damaged one
                print(f"left out: {error}", file=sys.stderr)
                continue
            for one in garments:
                probability = f"{one.label.probability:.2f}"
                rows.writerow((path.name, one.label.name, probability, one.colour, one.person))


if __name__ == "__main__":
    main(*sys.argv[1:])
