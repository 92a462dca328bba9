"""Parts that every task shares: trainer, checkpoints, augmentation, reports, publishing."""
