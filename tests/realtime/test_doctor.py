"""The doctor: what it finds whole, and what it says of what is not."""

import pytest

from preprocessing.errors import DeviceError, WeightsError
from realtime import doctor
from realtime.doctor import Finding, told
from training.inference.weights import read_manifest


def test_a_machine_that_runs_the_tests_is_well():
    found = {one.what: one for one in doctor.examine()}
    assert not [one for one in found.values() if one.status]
    for name in read_manifest():
        assert "whole; learnt from" in found[f"weights {name}"].found
        assert name in doctor.LICENCES
    assert " ms on cpu" in found["engine openvino"].found
    assert found["encoding"].found.startswith("a frame of H.264")


def test_what_is_broken_is_told_with_what_mends_it(monkeypatch, capsys):
    def damaged(_):
        raise WeightsError("deep.onnx is damaged")

    monkeypatch.setattr(doctor, "verified", damaged)
    monkeypatch.setattr(doctor, "CHECKS", (doctor._weights,))
    assert doctor.main() == 6
    assert "->  git checkout weights/deep.*" in capsys.readouterr().out


def test_an_engine_that_fails(monkeypatch):
    def fail(_):
        raise DeviceError("no such instruction")

    monkeypatch.setattr(doctor, "_inference", fail)
    found = {one.what: one for one in doctor._engines()}
    assert found["engine openvino"].status == 7 and found["engine torch"].status == 0


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("a", "b"), "ok a                      b"),
        (Finding("a", "b", "do c"), "-  a                      b  ->  do c"),
        (Finding("a", "b", "do c", 6), "no a                      b  ->  do c"),
    ],
)
def test_lines(finding, line):
    assert told(finding) == line
