"""Windows and macOS, as far as Linux can stand in for them: the app without what only Linux has."""

import ast
import subprocess
import sys

import make
import other_system
import pytest
from test_structure import FILES, tree_of

# Modules in which hasattr() stands before the name.
GUARDED = {
    "preprocessing/errors.py",
    "realtime/batch/stores.py",
    "realtime/page/uploads.py",
    "realtime/runtime/standard_streams.py",
    "realtime/runtime/worker.py",
}
OWN = {"signal": other_system.SIGNALS, "os": other_system.FUNCTIONS[other_system.os]}


def elsewhere(*arguments):
    """Run run_realtime.py with those names, modules and folders taken away."""
    command = [sys.executable, other_system.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=600)


@pytest.mark.parametrize("flag", ["--help", "--doctor", "--list-models"])
def test_commands_that_print(flag):
    done = elsewhere(flag)
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.decode().splitlines()) > 8


def test_the_demo(tmp_path):
    out = tmp_path / "größe-日本.mp4"
    done = elsewhere("--demo", "--end", "1.5", "-o", out, "--csv", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr.decode()
    assert len(make.decoded(out)[0]) == 38 and (tmp_path / "rows.csv").stat().st_size > 1000


def test_text_that_a_code_page_cannot_hold_is_utf8(tmp_path):
    done = elsewhere(tmp_path / "日本.mp4", "--csv", tmp_path / "rows.csv")
    assert done.returncode == 3 and "日本.mp4" in done.stderr.decode("utf-8")


def names_of_posix(path):
    """Modules that a file imports at its top, and names that it uses, which others lack."""
    tree = tree_of(path)
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in other_system.MODULES)
        if isinstance(node, ast.ImportFrom) and node.module in other_system.MODULES:
            yield node.module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):  # Windows selects sockets alone
            yield from (one.name for one in node.names if one.name == "select")
        of_module = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if of_module and node.attr in OWN.get(node.value.id, ()):
            yield f"{node.value.id}.{node.attr}"


def test_no_name_of_posix_is_taken_for_granted():
    found = {path.relative_to(make.ROOT).as_posix(): list(names_of_posix(path)) for path in FILES}
    assert {name for name, names in found.items() if names} == GUARDED
