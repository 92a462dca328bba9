"""Precisions that the hardware computes itself, as `--precision auto` chooses them."""

import pytest
import torch

from training.common.fit_loop import _precision
from training.common.hardware import has_bf16_units
from training.common.settings import LightningMachine


def processor(monkeypatch, *, avx512=False, amx=False, cuda=False):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: cuda)


@pytest.mark.parametrize(
    ("device", "units", "chosen"),
    [
        ("cpu", {}, "32-true"),
        ("cpu", {"avx512": True}, "bf16-mixed"),
        ("cpu", {"amx": True}, "bf16-mixed"),
        ("cpu", {"cuda": True}, "32-true"),
        ("cuda", {"cuda": True}, "bf16-mixed"),
        ("cuda", {"amx": True}, "32-true"),  # a GPU older than Ampere
        ("mps", {"amx": True, "cuda": True}, "32-true"),
    ],
)
def test_auto_is_bf16_where_the_device_has_units_for_it(monkeypatch, device, units, chosen):
    processor(monkeypatch, **units)
    assert _precision(LightningMachine(device=device)) == chosen
    for given, wanted in (("single", "32-true"), ("bf16", "bf16-mixed")):
        assert _precision(LightningMachine(device=device, precision=given)) == wanted


@pytest.mark.parametrize(("held_to", "found"), [("avx2", False), ("AVX512_CORE_AMX", True)])
def test_units_that_the_user_hides_are_not_there(monkeypatch, held_to, found):
    processor(monkeypatch, avx512=True, amx=True)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", held_to)
    assert has_bf16_units() == found
