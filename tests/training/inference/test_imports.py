"""training.inference is what the app runs: it imports no torch, and nothing above it."""

import ast
import subprocess
import sys

import make

FOLDER = make.ROOT / "training" / "inference"
HEAVY = ("torch", "lightning", "ultralytics", "torchvision")
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def test_no_module_imports_torch():
    names = [f"training.inference.{name}" for name in MODULES]
    script = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
    script += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=make.ROOT, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_no_module_imports_the_rest_of_training():
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("training"):
                assert node.module.startswith("training.inference"), path
