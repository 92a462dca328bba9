"""People's joints: the networks' answers read, and what they say of garments."""

import zipfile

import make
import numpy as np
import pytest

from preprocessing.errors import WeightsError
from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from training.inference import pose_files
from training.inference.pose import (
    DETECTED_SIDE,
    JOINTS,
    PeopleFinder,
    Person,
    Square,
    detected,
    limbs_under,
)

PHOTO = make.ROOT.parent / "shared" / "data" / "worn" / "parsed" / "photos" / "0200.jpg"
ELBOW, WRIST, KNEE, ANKLE = (13, 14), (15, 16), (25, 26), (27, 28)
SHOULDER, HIP = (11, 12), (23, 24)


def standing(*, arms: int = 40, unseen: tuple[int, ...] = ()) -> Person:
    """Someone upright, seen from the front: arms hang this far beside the middle at x 50."""
    joints = np.zeros((JOINTS, 2), np.float32)
    for pair, side, y in ((SHOULDER, 15, 20), (ELBOW, arms, 40), (WRIST, arms, 60), (HIP, 10, 60),
                          (KNEE, 10, 80), (ANKLE, 10, 100)):  # fmt: skip
        joints[list(pair)] = ((50 + side, y), (50 - side, y))
    seen = np.ones(JOINTS, np.float32)
    seen[list(unseen)] = 0
    return Person(joints, seen, Square(50, 60, 100, 0))


def covering(x1: int, y1: int, x2: int, y2: int) -> Region:
    return Region(np.float32((x1, y1, x2, y2)), np.full((y2 - y1, x2 - x1), 255, np.uint8))


@pytest.mark.parametrize(
    ("region", "person", "limbs"),
    [
        (covering(30, 15, 70, 62), standing(), {"forearms": 0.0}),  # a T-shirt
        (covering(5, 15, 95, 62), standing(), {"forearms": 1.0}),  # a jumper
        (covering(5, 15, 60, 62), standing(), {"forearms": 0.5}),
        (covering(30, 58, 70, 105), standing(), {"shins": 1.0}),  # trousers
        (covering(30, 58, 70, 80), standing(), {"shins": 0.0}),  # shorts
        (covering(30, 15, 70, 105), standing(), {"forearms": 0.0, "shins": 1.0}),  # a long dress
        (covering(5, 15, 95, 62), standing(unseen=WRIST), {}),
        (covering(5, 15, 60, 62), standing(unseen=WRIST[:1]), {"forearms": 1.0}),
        (covering(0, 90, 100, 110), standing(), {}),  # shoes
    ],
)
def test_limbs_under_a_garment(region, person, limbs):
    assert limbs_under(region, [person]) == pytest.approx(limbs)
    assert limbs_under(region, []) == {}


def test_of_two_people_the_one_who_wears_it_counts():
    other = standing()
    away = Person(other.joints + np.float32((200, 0)), other.seen, other.square)
    assert limbs_under(covering(5, 15, 95, 62), [away, other]) == {"forearms": 1.0}


def test_people_in_the_first_networks_answers():
    logits = np.full(2254, -20, np.float32)
    places = np.zeros((2254, 12), np.float32)
    # The first cell of the finest grid, middle (4, 4), and its neighbour who says the same.
    for index, offset in ((0, 0), (2, -8)):
        logits[index] = 3 - index
        places[index] = (100 + offset, 100, 50, 60, 106 + offset, 110, 106 + offset, 60, *[0] * 4)
    logits[2253] = 1  # someone else, at the other end of the coarsest grid, middle (208, 208)
    places[2253, :6] = (-8, -8, 30, 30, 0, -8)
    first, second = detected(places, logits)
    assert first[:2] * DETECTED_SIDE == pytest.approx(np.array([(110, 114), (110, 64)]))
    assert second[0] * DETECTED_SIDE == pytest.approx((208, 200))
    assert detected(places, np.full(2254, -20, np.float32)) == []


def test_a_square_stands_upright_on_its_person():
    lying = Square.around(np.array((100.0, 50.0)), np.array((140.0, 50.0)))  # head to the right
    assert (lying.x, lying.y, lying.side) == (100, 50, 100)
    top = lying.to_image(np.array([(0.5, 0.0)]))
    assert top == pytest.approx(np.array([(150.0, 50.0)]))
    image = np.zeros((120, 200, 3), np.uint8)
    image[45:55, 130:140] = 255  # near the head
    rows, columns = np.nonzero(lying.cut(image, 64)[..., 0] > 127)
    assert rows.mean() < 16 and columns.mean() == pytest.approx(32, abs=1)


def test_damaged_and_missing_files_are_told(tmp_path):
    with pytest.raises(WeightsError, match=r"no .*pose_detection.*pose_files install"):
        pose_files.checked(tmp_path)
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for place, _ in pose_files.FILES.values():
            archive.writestr(place, "something else")
    pose_files.unpack(wheel, tmp_path)
    assert pose_files.installed(tmp_path)
    with pytest.raises(WeightsError, match="damaged"):
        pose_files.checked(tmp_path)
    wheel.write_bytes(b"no archive")
    with pytest.raises(WeightsError, match="does not hold"):
        pose_files.unpack(wheel, tmp_path)


def test_no_way_to_download(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pose_files, "WHEEL", "no-such-package-of-anyone==0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(pose_files, "FOLDER", tmp_path / "people")
    assert pose_files.main(["install"]) == WeightsError.status
    assert "go online, or put" in capsys.readouterr().err


@pytest.mark.skipif(not PHOTO.is_file(), reason="no ../shared/data/worn here")
@pytest.mark.skipif(not pose_files.installed(), reason=f"no networks: `{pose_files.COMMAND}`")
def test_joints_of_a_photo():
    image = read_picture(PHOTO)
    (person,) = PeopleFinder(*pose_files.checked())(image)
    left, right = person.joints[SHOULDER[0]], person.joints[SHOULDER[1]]
    assert left[0] > right[0]  # she faces us
    assert person.joints[HIP[0], 1] < person.joints[KNEE[0], 1] < person.joints[ANKLE[0], 1]
    assert (person.seen[list(ELBOW + KNEE)] > 0.5).all()
    following = PeopleFinder(*pose_files.checked()).mark(image, person.square)
    assert np.abs(following.joints - person.joints)[11:].mean() < 0.03 * max(image.shape)
