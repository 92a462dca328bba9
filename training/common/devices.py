"""The device to train on."""

import torch

from preprocessing.errors import DeviceError


def choose_device(asked: str) -> str:
    """The device to train on; "auto" prefers CUDA, then MPS.

    Raises:
        DeviceError: the device asked for is not there.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if asked == "auto":
        return next(name for name, there in present.items() if there)
    if not present[asked]:
        have = " or ".join(name for name, there in present.items() if there)
        raise DeviceError(f"no {asked} device here: use --device {have}")
    return asked
