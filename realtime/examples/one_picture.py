"""Print what is worn in one picture, and save the picture with labels."""

import sys

import cv2

from realtime import Recogniser


def main(picture: str, labelled: str = "labelled.png") -> None:
    recognise = Recogniser()
    garments = recognise(picture)
    for garment in garments:
        x1, y1, x2, y2 = garment.region.box
        print(
            f"{garment.colour} {garment.label.name} ({garment.label.probability:.0%})",
            f"from {x1:.0f}, {y1:.0f} to {x2:.0f}, {y2:.0f}, person {garment.person or '-'}",
        )
        print("  as sure as", ", ".join(f"{name} {p:.0%}" for name, p in garment.label.path))
    cv2.imwrite(labelled, garments.picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
