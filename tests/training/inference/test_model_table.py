"""The table of `--list-models`."""

from training.inference.model_table import table
from training.inference.weights import read_manifest


def test_every_committed_model_has_a_row():
    header, *rows = table().splitlines()
    assert header.split() == ["model", "kind", "classes", "pixels", "parameters", "MB", "metric"]
    assert [row.split()[0] for row in rows] == sorted(read_manifest())
    for row in rows:
        assert " on test" in row or " on validation" in row
