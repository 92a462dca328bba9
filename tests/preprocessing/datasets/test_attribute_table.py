"""Attribute tables: reading what people have, codes and titles, writing."""

import json

import numpy as np
import pytest
from tables import TEXT_WITH_GAPS as TEXT

from preprocessing.datasets.attribute_table import MISSING, product_of, read_table, write_table
from preprocessing.errors import DataError


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
