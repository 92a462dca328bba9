"""The structure of the code: imports point down, no circles, short listings, plain docstrings."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {  # and what each may import
    "preprocessing": {"preprocessing"},
    "training": {"preprocessing", "training"},
    "realtime": {"preprocessing", "training", "realtime"},
}
CONFINED = {
    # The last five only lock.
    "threading": {
        "realtime/runtime/hanging.py",
        "realtime/runtime/worker.py",
        "realtime/page/commands.py",
        "realtime/page/state.py",
        "realtime/analysis/engines.py",
        "realtime/runtime/merging.py",
        "training/inference/openvino_network.py",
        "training/common/torch_graphs.py",
    },
    "ultralytics": {"training/detection/yolo.py"},
}
TASKS = ("attributes", "classification", "deepfashion", "detection", "parsing")
MOST_ENTRIES = 20  # of a folder's listing
PRIVATE = re.compile(r"\b(told|said|held? against|speaks? of|so manieth)\b", re.IGNORECASE)
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Every module that a file imports, at its top or later, by its dotted name."""
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name for name in inner if name in MODULES} or {node.module}
            names |= {node.module} if any(name not in MODULES for name in inner) else set()
    return frozenset(names)


def imports() -> dict[str, set[str]]:
    """Modules of ours by the module that imports them."""
    return {name: set(imported(path)) & MODULES.keys() - {name} for name, path in MODULES.items()}


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle of arrows, or nothing."""
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        found = next(filter(None, (follow(to, [*way, name]) for to in arrows.get(name, ()))), [])
        done.add(name)
        return found

    return next(filter(None, (follow(name, []) for name in sorted(arrows))), [])


def entries(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "__pycache__"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    relative = path.relative_to(ROOT)
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops & PACKAGES.keys() <= PACKAGES[relative.parts[0]]
    for name, places in CONFINED.items():
        assert name not in tops or relative.as_posix() in places


def test_every_package_is_walked():
    assert len(FILES) > 100


def test_no_circle_of_files():
    assert circle(imports()) == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=module_name)
def test_no_circle_of_folders(folder):
    """Between the files and folders that stand side by side in a folder."""
    package, arrows = module_name(folder / "__init__.py"), defaultdict(set)
    for name, others in imports().items():
        for other in others:
            if all(one.startswith(f"{package}.") for one in (name, other)):
                start, end = (
                    one.removeprefix(f"{package}.").split(".")[0] for one in (name, other)
                )
                if start != end:
                    arrows[start].add(end)
    assert circle(arrows) == []


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "training").glob("*/**/*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_arrow_back_up_inside_training(path):
    parts = path.relative_to(ROOT).parts
    own = {name.split(".")[1] for name in imported(path) if name.startswith("training.")}
    allowed = {
        "inference": {"inference"},
        "models": {"models", "inference"},
        "common": {"common", "models", "inference"},
        **{task: {task, "common", "models", "inference"} for task in TASKS},
    }[parts[1]]
    assert own <= allowed


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=module_name)
def test_listings_are_short(folder):
    assert len(entries(folder)) <= MOST_ENTRIES


def test_inference_needs_no_torch():
    arrows, waiting = imports(), [n for n in MODULES if n.startswith("training.inference")]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += arrows[name]
    heavy = {"torch", "torchvision", "lightning", "ultralytics"}
    users = {name for name in reached for other in imported(MODULES[name]) if other in heavy}
    assert users <= {"preprocessing.datasets.fashion_mnist"}  # downloads through torchvision


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_use_the_words_of_the_field(path):
    for node in ast.walk(tree_of(path)):
        text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
        if text:
            assert not text.startswith(("What ", "Whether ", "Tells ")), text
            assert not PRIVATE.search(text), text


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "tests").glob("[prt]*/**/test_*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_tests_sit_at_their_module_s_path(path):
    relative = path.relative_to(ROOT / "tests")
    module = relative.with_name(relative.name.removeprefix("test_"))
    assert (ROOT / module).is_file() or (ROOT / module.with_suffix("")).is_dir()
