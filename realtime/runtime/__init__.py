"""Services of a run beside its frames: threads, signals, statistics, progress, log."""
