"""Stages of the analysis of a frame: motion gate, locator, tracker, classifier, fusion."""
