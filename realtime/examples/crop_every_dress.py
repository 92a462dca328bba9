"""Cut every garment of a kind out of pictures, transparent around it, for a catalogue."""

import sys
from pathlib import Path

import cv2
import numpy as np

from realtime import Recogniser


def main(folder: str, crops: str = "crops", kind: str = "dress") -> None:
    recognise = Recogniser()
    Path(crops).mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(folder).glob("*.jpg")):
        garments = recognise(path)
        # A path goes from general names to the kind: "top" gives T-shirts and shirts as well.
        wanted = garments[[kind in dict(names) for names in garments.paths]]
        for number, (garment, crop) in enumerate(zip(wanted, wanted.crops, strict=True)):
            cut_out = np.dstack([crop, garment.region.mask])  # BGR and opacity
            cv2.imwrite(f"{crops}/{path.stem}-{number}.png", cut_out)
        print(f"{path.name}: {len(wanted)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
