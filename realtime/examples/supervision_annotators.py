"""Draw with the annotators of supervision: pip install supervision."""

import sys

import cv2
import supervision as sv

from realtime import Recogniser


def main(picture: str, drawn: str = "drawn.png") -> None:
    garments = Recogniser()(picture)
    garments = garments[garments.probabilities > 0.5]
    found = garments.to_supervision()
    texts = [f"{one.colour} {one.label.name}" for one in garments]
    scene = sv.MaskAnnotator(opacity=0.4).annotate(garments.image.copy(), found)
    scene = sv.RoundBoxAnnotator().annotate(scene, found)
    scene = sv.LabelAnnotator(smart_position=True).annotate(scene, found, labels=texts)
    cv2.imwrite(drawn, scene)
    print(f"{len(found)} garments in {drawn}")


if __name__ == "__main__":
    main(*sys.argv[1:])
