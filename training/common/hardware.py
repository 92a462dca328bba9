"""Capabilities of this machine's processor."""

import torch


def has_bf16_units() -> bool:
    """True if the CPU multiplies bf16 itself; others emulate it, some eight times slower."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
