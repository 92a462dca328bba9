"""Contact sheets of the worst pictures."""

import cv2
import make
import numpy as np

from realtime.bench.sheets import COLUMNS, MOST, SIDE, WorstPictures, found_marks


def test_the_worst_pictures_come_first(tmp_path):
    worst = WorstPictures()
    worst.write(tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
    for number in range(2 * MOST):
        image = np.full((24, 32, 3), number, np.uint8)
        worst.add(image, [], badness=number % MOST, caption=str(number))
    worst.write(tmp_path / "sheets" / "a.png")
    sheet = cv2.imread(str(tmp_path / "sheets" / "a.png"))
    height, width = sheet.shape[0] // (MOST // COLUMNS), sheet.shape[1] // COLUMNS
    assert width == SIDE + 2 and SIDE * 0.75 < height < SIDE * 0.75 + 20
    shown = [int(sheet[100, 100 + column * width, 0]) for column in range(COLUMNS)]
    assert shown == [15, 31, 14, 30]


def test_marks_name_garments():
    marks = found_marks([make.garment("Coat", box=(1, 2, 3, 4))])
    assert [(mark.text, mark.box.tolist()) for mark in marks] == [("Coat", [1, 2, 3, 4])]
