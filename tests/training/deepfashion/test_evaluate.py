"""Figures by hand and by torchmetrics, and the evaluation of a published network."""

import json

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy
from torchmetrics.functional.retrieval import retrieval_recall

from training import evaluate
from training.deepfashion.evaluate import recall_at_k, top_k
from training.inference import weights


def test_figures_by_hand():
    scores = np.array([[0.9, 0.8, 0.1, 0.0], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
    assert top_k(scores, np.array([1, 0, 0]), 1) == pytest.approx(1 / 3)
    assert top_k(scores, np.array([1, 0, 0]), 2) == pytest.approx(2 / 3)
    has = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]])
    # Two of four: the first picture has 2 and finds 1, the second has 3, of which 2 could be found.
    assert recall_at_k(scores, has, 2) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert recall_at_k(scores, has, 3) == pytest.approx((2 / 2 + 2 / 3) / 2)
    assert np.isnan(recall_at_k(scores, np.zeros((3, 4)), 3))


def test_figures_are_those_of_torchmetrics():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((200, 12)), rng.integers(0, 12, 200)
    for k in (1, 3, 5):
        library = MulticlassAccuracy(12, top_k=k, average="micro")
        expected = float(library(torch.from_numpy(scores), torch.from_numpy(labels)))
        assert top_k(scores, labels, k) == pytest.approx(expected)
    has = (rng.random((200, 12)) < 0.15).astype(int)
    has[has.sum(axis=1) > 3] = 0  # the library divides by all attributes, not by those k reaches
    rows = [(torch.from_numpy(s), torch.from_numpy(h)) for s, h in zip(scores, has, strict=True)]
    for k in (3, 5):
        expected = np.mean([float(retrieval_recall(s, h, top_k=k)) for s, h in rows if h.any()])
        assert recall_at_k(scores, has, k) == pytest.approx(expected)


@pytest.mark.usefixtures("no_worker")
def test_a_published_network_is_evaluated(run, published, data, tmp_path, capsys):
    info = weights.read_info(published / "deepfashion.onnx")
    assert info.task == "deepfashion" and [p.name for p in info.attributes][:2] == ["box", "type"]
    where = ["--model", str(published / "deepfashion.onnx"), "--out", str(tmp_path / "out")]
    assert evaluate.main([*where, "--data", str(data)]) == 0
    again = json.loads((tmp_path / "out" / "report.json").read_text())
    first = json.loads((run / "report.json").read_text())
    assert again == pytest.approx(first, abs=0.02)  # half precision
    assert evaluate.main(where) == 2
    assert "give --data DIR" in capsys.readouterr().err
