"""Predictions for pictures: no output is one of them."""

import make
import pytest

from preprocessing.errors import SinkError
from preprocessing.images.pictures import write_image
from training.common.prediction import predict_pictures
from training.common.settings import PredictSettings


def count(pictures):
    return len(list(pictures))


def test_no_output_is_a_picture(tmp_path):
    folder = tmp_path / "pics"
    write_image(folder / "a.png", make.scene())
    before = (folder / "a.png").read_bytes()

    def predict(out, **more):
        settings = PredictSettings(model="m", input=more.pop("input", folder), out=out)
        return predict_pictures(settings, count, **more)

    for words, out, more in (
        ("--out", folder / "a.png", {}),
        ("--out", folder / "A.PNG", {"input": folder / "a.png"}),
        ("--out-image", tmp_path / "a.csv", {"images": folder / "a.png"}),
        ("--out-image", tmp_path / "a.csv", {"images": folder}),
    ):
        with pytest.raises(SinkError, match=f"input.*{words} another"):
            predict(out, **more)
    (folder / "rows.csv").write_text("of the run before")
    assert predict(folder / "rows.csv").startswith("wrote 1 rows")
    assert (folder / "a.png").read_bytes() == before
