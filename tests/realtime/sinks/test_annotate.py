import make
import numpy as np
import pytest

from realtime.sinks.annotate import MAX_TEXT, MIN_TEXT, Annotator, place, sprite, text_height
from realtime.types import UNKNOWN

FRAME = (240, 320, 3)
LABEL = (14, 80, 3)


def garment(box, name="Bag"):
    return make.garment(name, box=box)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 320, 240),
        (300, 0, 320, 10),
        (-20, 230, 30, 240),
        (310, 235, 320, 240),
        (50, 5, 60, 9),
    ],
)
def test_labels_stay_inside_the_frame(box):
    x, y = place(LABEL, np.array(box, np.float32), frame=FRAME, taken=[])
    assert 0 <= x <= FRAME[1] - LABEL[1] and 0 <= y <= FRAME[0] - LABEL[0]


def test_labels_stay_off_each_other():
    taken = []
    for _ in range(12):
        x, y = place(LABEL, np.array([40, 60, 90, 200], np.float32), frame=FRAME, taken=taken)
        spot = (x, y, x + LABEL[1], y + LABEL[0])
        for other in taken:
            assert (
                spot[0] >= other[2]
                or other[0] >= spot[2]
                or spot[1] >= other[3]
                or other[1] >= spot[3]
            )
        taken.append(spot)


@pytest.mark.parametrize(("height", "width"), [(240, 320), (480, 640), (1080, 1920), (2160, 3840)])
def test_text_grows_with_the_frame(height, width):
    size = text_height(np.empty((height, width, 3), np.uint8))
    assert MIN_TEXT <= size <= MAX_TEXT and 0.02 < size / height < 0.06


def test_a_label_wider_than_the_frame_is_cut_not_an_error():
    image = np.zeros((20, 30, 3), np.uint8)
    picture = Annotator(("Bag",))(image, [garment((2, 2, 28, 18))], hud="a very long line")
    assert picture.any() and not image.any()  # drawn on a copy


def test_known_and_unknown_look_different():
    pictures = []
    for name in ("Bag", UNKNOWN):
        image = np.zeros(FRAME, np.uint8)
        pictures.append(Annotator(("Bag",))(image, [garment((100, 100, 200, 200), name)], ""))
    assert (pictures[0] != pictures[1]).any()
    assert pictures[1].max(axis=2).sum() > 0


def test_general_names_have_colours_of_their_own():
    annotator = Annotator(("t-shirt", "longsleeve", "pants"))
    names = ("t-shirt", "longsleeve", "pants", "top", "upper body", "lower body", UNKNOWN)
    assert len({annotator.shade(name) for name in names}) == len(names)
    assert annotator.shade("a name that was taught") == annotator.shade(UNKNOWN)
    image = np.zeros(FRAME, np.uint8)
    for name in names:
        assert (annotator(image, [garment((100, 100, 200, 200), name)], "") > 0).any()


@pytest.mark.parametrize(
    ("people", "texts"),
    [
        ((None, None), ["Bag 90%", "Bag 90%"]),
        ((3, None), ["Bag 90%", "Bag 90%"]),
        ((3, 3), ["Bag 90%", "Bag 90%"]),
        ((3, 1), ["3: Bag 90%", "1: Bag 90%"]),
    ],
)
def test_numbers_of_people_are_drawn_where_there_are_several(monkeypatch, people, texts):
    drawn = []

    def recorded(text, height, colour):
        drawn.append(text)
        return sprite(text, height, colour)

    monkeypatch.setattr("realtime.sinks.annotate.sprite", recorded)
    garments = [make.garment("Bag", box=(10, 10, 40, 40), person=person) for person in people]
    Annotator(("Bag",))(np.zeros(FRAME, np.uint8), garments, "")
    assert drawn == texts


def test_ink_contrasts_with_its_ground():
    for colour in ((0, 0, 0), (255, 255, 255), (0, 159, 230)):
        assert np.ptp(sprite("Bag 90%", 30, colour).mean(axis=2)) > 90


def test_one_pixel_garment_on_one_pixel_frame():
    image = np.zeros((1, 1, 3), np.uint8)
    assert Annotator(("Bag",))(image, [garment((0, 0, 1, 1))], "").any()
