"""Benchmarks: speed beside other programs, and accuracy on labelled footage."""
