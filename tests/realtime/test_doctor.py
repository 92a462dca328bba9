"""The doctor: a complete machine, and the fixes of an incomplete one."""

import pytest

from preprocessing.errors import DeviceError, WeightsError
from realtime import doctor
from realtime.doctor import Finding, line
from training.inference.weights import read_manifest


def test_a_machine_that_runs_the_tests_is_complete():
    found = {one.subject: one for one in doctor.examine()}
    assert not [one for one in found.values() if one.status]
    for name in read_manifest():
        assert "complete; trained on" in found[f"weights {name}"].result
        assert name in doctor.LICENCES
    assert " ms on cpu" in found["engine openvino"].result
    assert found["encoding"].result.startswith("a frame of H.264")


def test_damaged_weights_come_with_their_fix(monkeypatch, capsys):
    def damaged(_):
        raise WeightsError("deep.onnx is damaged")

    monkeypatch.setattr(doctor, "verified", damaged)
    monkeypatch.setattr(doctor, "CHECKS", (doctor._weights,))
    assert doctor.main() == 6
    assert "->  git checkout weights/deep.*" in capsys.readouterr().out


def test_an_engine_that_fails(monkeypatch):
    def fail(_, device):
        raise DeviceError("no such instruction")

    monkeypatch.setattr(doctor, "_inference", fail)
    found = {one.subject: one for one in doctor._engines()}
    assert found["engine openvino"].status == 7 and found["engine torch"].status == 0


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding("a", "b"), "ok a                      b"),
        (Finding("a", "b", "do c"), "-  a                      b  ->  do c"),
        (Finding("a", "b", "do c", 6), "no a                      b  ->  do c"),
    ],
)
def test_lines(finding, text):
    assert line(finding) == text
