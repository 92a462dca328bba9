"""Pixels and data sets: the bottom layer, which imports neither training nor realtime."""
