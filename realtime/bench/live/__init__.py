"""Benchmarks of live runs: losses, latency, long runs, and a page under attack."""
