"""Benchmarks of speed: whole processes side by side, single networks, what a setting costs."""
