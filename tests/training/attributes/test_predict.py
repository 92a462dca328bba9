"""Predictions for a folder of pictures, one of which cannot be read."""

import csv
import logging

import cv2
import pytest

from training import predict


@pytest.mark.usefixtures("no_worker")
def test_rows_and_a_sheet_are_written(published, data, tmp_path, capsys, caplog):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("item03-1.png", "item00-2.png"):
        (source / name).write_bytes((data / "images" / name).read_bytes())
    (source / "broken.png").write_bytes(b"no picture")
    out, sheet = tmp_path / "out.csv", tmp_path / "out.png"
    command = ["--model", str(published / "attributes.onnx"), "--input", str(source)]
    with caplog.at_level(logging.WARNING):
        assert predict.main([*command, "-o", str(out), "--out-image", str(sheet)]) == 0
    assert "2 rows" in (text := capsys.readouterr().out)
    assert "1 pictures could not be read" in text and "broken.png" in caplog.text
    with out.open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["filename", "colour", "shape"]
    assert [row[0] for row in rows[1:]] == ["item00-2.png", "item03-1.png"]
    assert all(row[2] in ("disc", "square") for row in rows[1:])
    assert cv2.imread(str(sheet)) is not None
