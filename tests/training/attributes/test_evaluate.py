"""Scores without catch-all classes, and the evaluation of a published model."""

import numpy as np
import pytest
from tables import flags

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.errors import UsageError
from training import evaluate
from training.attributes.evaluate import catch_all_codes, score_table

TWO = (Attribute("a", ("0", "1"), ("0", "1")), Attribute("b", tuple("xyz"), tuple("xyz")))


def test_catch_all_codes():
    attributes = (Attribute("a", ("0", "1"), ("0", "1")), Attribute("b", ("x", "#N/A"), ("x", "")))
    assert catch_all_codes("last", attributes) == {"a": "1", "b": "x"}
    assert catch_all_codes("a=0", attributes) == {"a": "0"}
    assert catch_all_codes("", attributes) == {}
    with pytest.raises(UsageError, match="have a=0"):
        catch_all_codes("a=7", attributes)


def test_figures_are_repeated_without_the_catch_all():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, 5)).astype(np.float32)
    values = np.stack([rng.integers(-1, 2, 40), rng.integers(-1, 3, 40)], axis=1)
    modes = np.array([1, 2])
    scores = score_table(logits, values, TWO, modes=modes, catch_all="b=z")
    figures = scores.summary()["attributes"]
    assert figures["without_catch_all"]["b"]["count"] == np.isin(values[:, 1], [0, 1]).sum()
    assert figures["without_catch_all"]["a"] == figures["a"]
    plain = score_table(logits, values, TWO, modes=modes, catch_all="").summary()
    assert set(plain["attributes"]) == {"a", "b"}


@pytest.mark.usefixtures("no_worker")
def test_a_published_model_is_evaluated(published, data, tmp_path, capsys):
    where = ["--model", str(published / "attributes.onnx"), "--out", str(tmp_path / "report")]
    assert evaluate.main([*where, *flags(data)]) == 0
    assert "| shape | 24 |" in (tmp_path / "report" / "report.md").read_text()
    assert evaluate.main(where) == 2
    assert "give --table CSV" in capsys.readouterr().err
