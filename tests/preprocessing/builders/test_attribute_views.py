"""Tables of attributes: reading what people have, filling gaps, looking, multiplying."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from preprocessing.builders import attribute_views
from preprocessing.datasets.attribute_table import MISSING, product_of, read_table, write_table
from preprocessing.datasets.imputation import IMPUTATIONS
from preprocessing.errors import DataError

REAL = Path(__file__).resolve().parents[3].parent / "shared/data/tshirt_attributes"
TEXT = (
    "filename,neck,sleeve\r\n"
    "a-1.jpg,2,#N/A\r\n"
    "a-2.jpg,10,0\r\n"
    "b-1.jpg,,1.0\r\n"
    "b-1.jpg,2,1\r\n"
    "c-1.jpg,nan,0\r\n"
    "c-1.jpg,10,1\r\n"
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "table.csv").write_bytes(TEXT.encode())
    return tmp_path / "table.csv"


def test_a_table_is_read_with_its_gaps(path):
    table = read_table(path)
    assert [(a.name, a.codes) for a in table.attributes] == [
        ("neck", ("2", "10")),
        ("sleeve", ("0", "1")),
    ]
    assert table.values.tolist() == [
        [0, MISSING], [1, 0], [MISSING, 1], [0, 1], [MISSING, 0], [1, 1],
    ]  # fmt: skip
    assert table.groups == ("a", "a", "b", "b", "c", "c")


def test_rows_of_one_name_are_one_that_keeps_what_they_agree_on(path):
    table = read_table(path)
    assert table.conflicts() == ["b-1.jpg", "c-1.jpg"]
    merged = table.merged()
    assert merged.names == ("a-1.jpg", "a-2.jpg", "b-1.jpg", "c-1.jpg")
    assert merged.values.tolist()[2:] == [[0, 1], [1, MISSING]]


def test_a_label_map_names_and_orders_the_codes(path, tmp_path):
    names = tmp_path / "map.json"
    names.write_text(json.dumps({"neck": {"10": "v", "2": "round", "3": "polo"}}))
    neck = read_table(path, label_map=names).attributes[0]
    assert (neck.codes, neck.titles) == (("10", "2", "3"), ("v", "round", "polo"))
    names.write_text(json.dumps({"neck": {"10": "v"}}))
    with pytest.raises(DataError, match="neck '2' is not in"):
        read_table(path, label_map=names)
    names.write_text('{"collar": {"0": "x"}}')
    with pytest.raises(DataError, match="names collar"):
        read_table(path, label_map=names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "wanted a header"),
        ("filename,neck\n", "wanted a header"),
        ("filename\na.jpg\n", "wanted a header"),
        ("filename,neck,neck\na.jpg,1,2\n", "wanted a header"),
        ("filename,neck\na.jpg,1,2\n", "row 2: 3 columns, wanted 2"),
        ("filename,neck\n\xff\n", "cannot read"),
    ],
)
def test_broken_tables_are_named(tmp_path, text, said):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=said):
        read_table(path)


def test_what_is_written_is_read_again(path, tmp_path):
    table = read_table(path)
    write_table(tmp_path / "again.csv", table)
    again = read_table(tmp_path / "again.csv")
    assert (again.names, again.groups, again.attributes) == (
        table.names, table.groups, table.attributes,
    )  # fmt: skip
    assert np.array_equal(again.values, table.values)
    assert "#N/A" in (tmp_path / "again.csv").read_text()


@pytest.mark.parametrize(
    ("name", "product"),
    [("shirt-3.jpg", "shirt"), ("x/shirt_12.png", "shirt"), ("shirt-1234.jpg", "shirt-1234")],
)
def test_views_of_a_product(name, product):
    assert product_of(name) == product


N = MISSING
KNOWN = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, N]])
GAPS = np.array([[N, N, N], [1, N, N], [0, 1, N], [2, N, 0], [N, 0, 0]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mask", GAPS.tolist()),
        ("class", [[3, 2, 3], [1, 2, 3], [0, 1, 3], [2, 2, 0], [3, 0, 0]]),
        ("mode", [[1, 0, 1], [1, 0, 1], [0, 1, 1], [2, 0, 0], [1, 0, 0]]),
        # (0, 1, 2) and (1, 0, 1) are equally frequent: the first one seen; no row begins with 2.
        ("conditional", [[0, 1, 2], [1, 0, 1], [0, 1, 2], [2, 0, 0], [1, 0, 0]]),
        ("drop", [[N, N, N]] * 5),
    ],
)
def test_gaps_are_filled(kind, expected):
    before = GAPS.copy()
    filled = IMPUTATIONS[kind](GAPS, KNOWN, np.array([3, 2, 3]))
    assert filled.tolist() == expected
    assert np.array_equal(GAPS, before)
    whole = np.array([[1, 0, 2]])
    assert IMPUTATIONS[kind](whole, KNOWN, np.array([3, 2, 3])).tolist() == [[1, 0, 2]]


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
