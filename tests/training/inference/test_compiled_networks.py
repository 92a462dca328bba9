"""Compiled networks on the disk: used if they are whole, else compiled anew."""

import logging
import os

import numpy as np
import pytest

from training.inference import compiled_networks
from training.inference.compiled_networks import compiled_folder
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import locate

WEIGHTS = locate("deep")[0]
INPUT = np.random.default_rng(0).random((2, 1, 28, 28), np.float32)


def answers(cache):
    return OpenVinoNetwork(WEIGHTS, threads=1, cache=str(cache))(INPUT)


def the(pattern, folder):
    (found,) = folder.rglob(pattern)
    return found


@pytest.mark.parametrize("damage", ["a byte", "truncated", "no checksum"])
def test_a_damaged_network_is_compiled_anew(tmp_path, caplog, damage):
    before = answers(tmp_path)
    blob, seal = the("*.blob", tmp_path), the("*.blake2b", tmp_path)
    whole = blob.read_bytes()
    blob.chmod(0o600)
    if damage == "a byte":
        blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "truncated":
        blob.write_bytes(whole[:1000])
    else:  # as a killed process leaves it
        seal.unlink()
    assert (answers(tmp_path) == before).all()
    assert f"{blob.name} is damaged" in caplog.text
    caplog.clear()
    stamp = blob.stat().st_mtime_ns
    assert (answers(tmp_path) == before).all() and not caplog.messages
    assert blob.stat().st_mtime_ns == stamp  # it is used


def test_a_network_that_was_removed_gets_a_checksum_of_its_own_again(tmp_path, caplog, monkeypatch):
    answers(tmp_path)
    the("*.blob", tmp_path).unlink()
    the("*.blake2b", tmp_path).write_text("of the one that was removed")
    for _ in range(2):  # processes
        monkeypatch.setattr(compiled_networks, "_whole", {})
        answers(tmp_path)
    assert not caplog.messages


def test_a_folder_that_takes_nothing_is_none(tmp_path, caplog):
    with caplog.at_level(logging.INFO), compiled_folder(str(tmp_path / "gone"), WEIGHTS) as folder:
        assert folder == ""
    assert "without a cache" in caplog.text
    with compiled_folder("", WEIGHTS) as folder:
        assert folder == "" and os.listdir(tmp_path) == []
