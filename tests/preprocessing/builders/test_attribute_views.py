"""Attribute tables are analysed, and their pictures augmented."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tables import TEXT_WITH_GAPS as TEXT

from preprocessing.builders import attribute_views
from preprocessing.datasets.attribute_table import read_table

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/tshirt_attributes"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "table.csv").write_bytes(TEXT.encode())
    return tmp_path / "table.csv"


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a-1.jpg", "b-1.jpg", "z-1.jpg"):
        cv2.imwrite(str(folder / name), rng.integers(0, 255, (40, 30, 3), np.uint8))
    return folder


def test_analyse_counts_and_names_what_is_wrong(path, images, tmp_path, capsys):
    flags = ["--table", str(path), "--images", str(images), "--out", str(tmp_path / "out")]
    before = path.read_bytes()
    assert attribute_views.main(["analyse", *flags]) == 0
    text = (tmp_path / "out/attributes.md").read_text()
    assert "6 rows, 4 names" in text and "0: 3, 1: 3, 2: 0" in text
    assert "| neck | 2 2, 10 2 | 2 (33.3%) | 2 50.0% |" in text
    assert "different labels: 2 (b-1.jpg, c-1.jpg)" in text
    assert "without a picture: 2 (a-2.jpg, c-1.jpg)" in text
    assert "without a row: 1 (z-1.jpg)" in text
    assert cv2.imread(str(tmp_path / "out/attributes.png")) is not None
    assert path.read_bytes() == before


def test_augment_writes_copies_of_the_same_product(path, images, tmp_path, capsys):
    out = tmp_path / "more"
    flags = ["--table", str(path), "--images", str(images), "--out", str(out)]
    assert attribute_views.main(["augment", *flags]) == 0
    table = read_table(out / "attributes.csv")
    assert len(table) == 15 and set(table.groups) == {"a", "b"}  # b-1.jpg stands twice
    assert [a.name for a in table.attributes] == ["neck", "sleeve"]
    assert all((out / "images" / name).is_file() for name in table.names)
    flipped = cv2.imread(str(out / "images/a-1_horizontal_flipped.jpg"))
    assert np.abs(flipped[:, ::-1].astype(int) - cv2.imread(str(images / "a-1.jpg"))).mean() < 12
    assert attribute_views.main(["augment", *flags]) == 2
    assert "not empty" in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/tshirt_attributes here")
def test_the_real_table():
    found = attribute_views.analyse(read_table(REAL / "attributes.csv"), REAL / "images")
    assert found.missing.tolist() == [455, 452, 447]
    assert found.missing_in_row.tolist() == [1124, 897, 194, 23]
    assert (len(found.repeated), len(found.conflicting), len(found.absent)) == (14, 13, 2103)
    assert np.round(100 * found.baselines).tolist() == [57, 77, 82]
