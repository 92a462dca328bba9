"""Data sets as they lie on disk: their files, labels, splits and tables."""
