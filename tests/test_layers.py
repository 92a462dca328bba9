"""Imports point down: preprocessing <- training <- realtime, and heavy ones stay in their files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BELOW = {
    "preprocessing": set(),
    "training": {"preprocessing"},
    "realtime": {"preprocessing", "training"},
}
CONFINED = {
    # The last two only lock.
    "threading": {
        "realtime/runtime/worker.py",
        "realtime/analysis/batched_engine.py",
        "training/inference/openvino_network.py",
    },
    "ultralytics": {"training/detection/yolo.py"},
}
FILES = [path for package in BELOW for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    relative = path.relative_to(ROOT)
    names = imported(path)
    package = relative.parts[0]
    assert names & BELOW.keys() <= BELOW[package] | {package}
    for name, places in CONFINED.items():
        assert name not in names or relative.as_posix() in places


def test_every_package_is_walked():
    assert len(FILES) > 20
