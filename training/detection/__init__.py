"""Detectors: boxes with classes."""
