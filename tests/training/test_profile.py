"""Profiles by the command."""

import json

from training import profile


def test_a_profile_of_weights(published, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    model = str(published / "baseline.onnx")
    assert profile.main(["--model", model, "--json", str(figures)]) == 0
    found = json.loads(figures.read_text())
    assert found["macs"] == 28 * 28 * 25 * 128 + 256 * 128 * 7 * 7 + 10 * 256
    assert found["receptive_field"] == 8 and 0 < found["effective_field"] <= 8
    assert {(t["engine"], t["batch"]) for t in found["timings"]} == {
        (engine, batch) for engine in ("openvino", "torch") for batch in (1, 4, 16)
    }
    assert all(t["median"] > 0 for t in found["timings"]) and found["peak_megabytes"]["torch"] > 50
    assert "receptive field" in capsys.readouterr().out
    assert profile.main(["--model", model, "--image-size", "32"]) == 2
    assert profile.main(["--model", "nonsense"]) == 6
