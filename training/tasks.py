"""What can be trained: recipes by task, and the module that trains and publishes each other task's.

Imports no torch.
"""

import json
from pathlib import Path

from training.attributes.recipes import ATTRIBUTE_MODELS
from training.classification.recipes import CONFIG, RECIPES
from training.deepfashion.recipes import FASHION_MODELS
from training.detection.recipes import DETECTORS
from training.parsing.recipes import PARSERS

TASKS = {
    "classify": RECIPES,
    "detect": DETECTORS,
    "parse": PARSERS,
    "attributes": ATTRIBUTE_MODELS,
    "deepfashion": FASHION_MODELS,
}
# Each has fit(), export() and LAST, the checkpoint that a run goes on with.
MODULES = {
    "detect": "training.detection.fit",
    "parse": "training.parsing.fit",
    "attributes": "training.attributes.fit",
    "deepfashion": "training.deepfashion.fit",
}


def task_of(model: str | None, run: Path | None = None) -> str:
    """The task, of TASKS, of a recipe or of the one that made a run's folder; else "classify"."""
    if run is not None:
        try:
            model = json.loads((run / CONFIG).read_text())["model"]
        except (OSError, ValueError, KeyError, TypeError):
            model = None
    return next((task for task, recipes in TASKS.items() if model in recipes), "classify")
