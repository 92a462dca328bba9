"""What training of every task shares: trainer, checkpoints, augmentation, reports, publishing."""
