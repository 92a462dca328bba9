"""Measures the app against simpler programs on this machine: `python -m realtime.bench`."""
