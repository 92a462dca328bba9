"""Capabilities of this machine's processors."""

import os

import torch

# What oneDNN, which computes a CPU's convolutions, may be held to by its users; as these it has
# no instructions for bf16.
WITHOUT_BF16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"}


def has_bf16_units(device: str = "cpu") -> bool:
    """True if a device, "cpu", "cuda" or "mps", multiplies bf16 itself.

    Others emulate it: a CPU is then some eight times slower than in single precision. Metal does
    not tell, and counts as one of them.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device != "cpu" or os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in WITHOUT_BF16:
        return False
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
