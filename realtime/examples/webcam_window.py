"""Show a camera with its garments in a window of one's own; q quits."""

import sys

import cv2

from realtime import Recogniser


def main(camera: str = "0") -> None:
    source = int(camera) if camera.isdecimal() else camera  # or an address such as rtsp://...
    recognise = Recogniser(detection_interval="live", colour=True)
    with_garments = recognise.track(source)
    for frame, garments in with_garments:
        cv2.imshow("garments", recognise.annotate(frame.image, garments))
        if cv2.waitKey(1) == ord("q"):
            break
    with_garments.close()  # the camera is free again, though this variable still exists
    cv2.destroyAllWindows()


if __name__ == "__main__":
    main(*sys.argv[1:])
