"""Learning-rate schedules; each row builds one in Lightning's form."""

from lightning.pytorch.utilities.types import LRSchedulerConfigType
from torch.optim import Optimizer
from torch.optim import lr_scheduler as schedulers

WARM_UP = 0.15  # fraction of the steps in which onecycle rises


def plateau(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Divide by 5 after 3 epochs without a better validation loss."""
    scheduler = schedulers.ReduceLROnPlateau(optimizer, factor=0.2, patience=3)
    return {"scheduler": scheduler, "interval": "epoch", "monitor": "val_loss"}


def onecycle(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Up, then down to nearly nothing, stepped every batch (Smith 2018, arXiv 1708.07120)."""
    highest = [group["lr"] for group in optimizer.param_groups]
    scheduler = schedulers.OneCycleLR(
        optimizer, highest, total_steps=steps, pct_start=WARM_UP, cycle_momentum=False
    )
    return {"scheduler": scheduler, "interval": "step"}


def cosine(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Half a cosine from the full rate to zero, stepped every batch."""
    return {"scheduler": schedulers.CosineAnnealingLR(optimizer, steps), "interval": "step"}


def step(optimizer: Optimizer, *, epochs: int, steps: int) -> LRSchedulerConfigType:
    """Divide by 10 after half and after three quarters of the epochs."""
    milestones = [max(1, epochs // 2), max(2, 3 * epochs // 4)]
    return {"scheduler": schedulers.MultiStepLR(optimizer, milestones), "interval": "epoch"}


SCHEDULES = {"plateau": plateau, "onecycle": onecycle, "cosine": cosine, "step": step}
