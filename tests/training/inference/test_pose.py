"""Pose networks: their outputs decoded, squares around people, and a real photo."""

import make
import numpy as np
import pytest

from preprocessing.images.pictures import read_picture
from training.inference import pose_files
from training.inference.pose import DETECTOR_SIDE, PoseEstimator, Square, detected_people

PHOTO = make.ROOT.parent / "shared" / "data" / "worn" / "parsed" / "photos" / "0200.jpg"
SHOULDER, ELBOW, HIP, KNEE, ANKLE = (11, 12), (13, 14), (23, 24), (25, 26), (27, 28)


def test_people_in_the_detector_s_outputs():
    logits = np.full(2254, -20, np.float32)
    boxes = np.zeros((2254, 12), np.float32)
    # The first cell of the finest grid, centre (4, 4), and its neighbour with the same person.
    for index, offset in ((0, 0), (2, -8)):
        logits[index] = 3 - index
        boxes[index] = (100 + offset, 100, 50, 60, 106 + offset, 110, 106 + offset, 60, *[0] * 4)
    logits[2253] = 1  # another person, in the last cell of the coarsest grid, centre (208, 208)
    boxes[2253, :6] = (-8, -8, 30, 30, 0, -8)
    first, second = detected_people(boxes, logits)
    assert first[:2] * DETECTOR_SIDE == pytest.approx(np.array([(110, 114), (110, 64)]))
    assert second[0] * DETECTOR_SIDE == pytest.approx((208, 200))
    assert detected_people(boxes, np.full(2254, -20, np.float32)) == []


def test_a_square_is_upright_on_its_person():
    lying = Square.around(np.array((100.0, 50.0)), np.array((140.0, 50.0)))  # head to the right
    assert (lying.x, lying.y, lying.side) == (100, 50, 100)
    top = lying.to_image(np.array([(0.5, 0.0)]))
    assert top == pytest.approx(np.array([(150.0, 50.0)]))
    image = np.zeros((120, 200, 3), np.uint8)
    image[45:55, 130:140] = 255  # near the head
    rows, columns = np.nonzero(lying.crop(image, 64)[..., 0] > 127)
    assert rows.mean() < 16 and columns.mean() == pytest.approx(32, abs=1)


@pytest.mark.skipif(not PHOTO.is_file(), reason="no ../shared/data/worn here")
@pytest.mark.skipif(not pose_files.installed(), reason=f"no pose networks: `{pose_files.COMMAND}`")
def test_the_pose_in_a_photo():
    image = read_picture(PHOTO)
    estimator = PoseEstimator(*pose_files.verified_files())
    (pose,) = estimator(image)
    left, right = pose.keypoints[SHOULDER[0]], pose.keypoints[SHOULDER[1]]
    assert left[0] > right[0]  # the person faces the camera
    assert pose.keypoints[HIP[0], 1] < pose.keypoints[KNEE[0], 1] < pose.keypoints[ANKLE[0], 1]
    assert (pose.visibility[list(ELBOW + KNEE)] > 0.5).all()
    again = estimator.estimate(image, pose.square)
    assert np.abs(again.keypoints - pose.keypoints)[11:].mean() < 0.03 * max(image.shape)
