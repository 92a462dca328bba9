"""Benchmarks of the index and its search."""
