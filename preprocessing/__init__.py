"""Pixels and data sets: the bottom package, which imports neither training nor realtime."""
