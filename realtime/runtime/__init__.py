"""What a run needs around its frames: threads, signals, statistics, progress."""
