"""Who labels what a locator found: its own class scores, a classifier, or both. No imports."""

LOCATOR, CLASSIFIER, BOTH = "locator", "classifier", "both"
LABEL_SOURCES = (LOCATOR, CLASSIFIER, BOTH)
# Detectors with a classifier of their own, which labels their boxes together with their scores: it
# learns from four times as many garments in the same time.
BOX_CLASSIFIERS = {"yolo": "yolo-names"}
