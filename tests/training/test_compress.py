"""Compression by the command."""

import pytest

from preprocessing.errors import WeightsError
from training import compress
from training.common.checkpoints import load_model
from training.inference import weights


def test_compression_keeps_the_answers_or_is_refused(published, tmp_path, capsys):
    model = str(published / "baseline.onnx")
    out = ["--out", str(tmp_path)]
    assert compress.main(["--model", model, "--to", "fp16", *out]) == 0
    assert weights.read_info(tmp_path / "baseline-fp16.onnx").name == "baseline-fp16"
    half = (tmp_path / "baseline-fp16.onnx").stat().st_size
    assert half < 0.6 * (published / "baseline.onnx").stat().st_size
    assert compress.main(["--model", model, "--to", "int8", "--max-drop", "100", *out]) == 0
    assert (tmp_path / "baseline-int8.onnx").stat().st_size < 0.6 * half
    assert weights.verified(tmp_path / "baseline-int8.onnx")
    with pytest.raises(WeightsError, match="holds no tensors to train from"):
        load_model(str(tmp_path / "baseline-int8.onnx"))
    assert "macro-F1" in capsys.readouterr().out


def test_the_gate_refuses_what_lost_too_much(published, tmp_path, monkeypatch, capsys):
    def ruin(path, images, keep):
        import onnx
        from onnx import numpy_helper

        model = onnx.load(path)
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.ndim > 1:
                tensor.CopyFrom(numpy_helper.from_array(0 * values, tensor.name))
        path.write_bytes(model.SerializeToString())

    monkeypatch.setattr("training.classification.export._quantise", ruin)
    model = str(published / "baseline.onnx")
    assert compress.main(["--model", model, "--to", "int8", "--out", str(tmp_path)]) == 6
    assert "not published" in capsys.readouterr().err and not list(tmp_path.iterdir())
