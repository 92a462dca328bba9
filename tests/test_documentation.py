"""The commands, links and anchors of all README files: every one of them works as it is printed."""

import contextlib
import importlib
import io
import json
import re
import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import onnx
import pytest

from training.common.runs import CONFIG
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.tasks import TASKS

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("preprocessing", "realtime", "tests", "training", "weights")
READMES = [ROOT / "README.md", *(p for name in FOLDERS for p in (ROOT / name).rglob("README.md"))]
PACKAGES = ("preprocessing", "realtime", "training")
APP = "run_realtime.py"
CODE = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`((?:python[\d.]* |run_realtime\.py )[^`]+)`")
FILE = re.compile(r"`(?:python )?([\w/.-]+\.py)\b[^`]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
OPTION = re.compile(r"^ +(-.*?)(?:  |$)", re.MULTILINE)  # of --help, without its description
FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def shown_in(path: Path) -> list[str]:
    """The shell lines of a README file, in its blocks of code and between backticks."""
    text = path.read_text(encoding="utf-8")
    blocks = "\n".join(CODE.findall(text)).replace("\\\n", " ")
    lines = [part for line in blocks.splitlines() for part in line.split("&&")]
    return lines + INLINE.findall(text.replace("\n", " "))


def command_in(line: str) -> tuple[str, ...] | None:
    """The module and the arguments of a shell line that runs one of ours; None for others."""
    words = shlex.split(line, comments=True)
    if APP in words[:2]:
        return "realtime.cli", *words[words.index(APP) + 1 :]
    if len(words) > 2 and "python" in words[0] and words[1] == "-m":
        return tuple(words[2:]) if words[2].split(".")[0] in PACKAGES else None
    return None


def commands() -> list[tuple[str, ...]]:
    found = (command_in(line) for path in READMES for line in shown_in(path))
    return sorted({command for command in found if command})


def value_of(flag: str, arguments: list[str]) -> str:
    return arguments[arguments.index(flag) + 1] if flag in arguments else ""


def write_run(folder: Path, model: str) -> None:
    """Write as much of a run folder as the commands read to find its task."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps({"model": model}))


def write_weights(folder: Path, model: str) -> None:
    """Write as much of a weight file as the commands read to find its task."""
    task = next(name for name, task in TASKS.items() if model in task.recipes)
    info = WeightsInfo(
        model, model, ("a", "b"), "photo", 32, 3, (0.5,) * 3, (0.5,) * 3, 1.0, task=task
    )
    file = onnx.ModelProto()
    file.metadata_props.add(key=METADATA_KEY, value=info.to_json())
    folder.mkdir(exist_ok=True)
    onnx.save(file, folder / f"{model}.onnx")


def write_results(lines: Iterable[str], folder: Path) -> None:
    """Write the runs and weight files that a README file's commands would leave in a folder."""
    models: dict[str, str] = {}  # by run
    for module, *arguments in filter(None, map(command_in, lines)):
        out = value_of("--out", arguments)
        if module == "training.fit" and out:
            refitted = models.get(value_of("--refit", arguments), "")
            models[out] = value_of("--model", arguments) or refitted
        elif module == "training.average":
            models[out] = models[arguments[1]]
        elif module == "training.export" and out:
            write_weights(folder / out, models[arguments[0]])
    for run, model in models.items():
        write_run(folder / run, model)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for path in READMES:
        write_results(shown_in(path), folder)
    return folder


@cache
def help_of(module: str, arguments: tuple[str, ...]) -> str:
    """What --help prints behind these arguments, which are checked up to there."""
    imported = importlib.import_module(module)
    if hasattr(imported, "__path__"):
        imported = importlib.import_module(f"{module}.__main__")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            status = imported.main([*arguments, "--help"])
        except SystemExit as end:
            status = end.code
    assert status == 0, printed.getvalue()
    return printed.getvalue()


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a file."""
    headings = (
        re.sub(r"[^\w\- ]", "", h.lower()) for h in HEADING.findall(path.read_text("utf-8"))
    )
    return {heading.strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_exist_with_all_their_flags(command, results, monkeypatch):
    monkeypatch.chdir(results)
    module, *arguments = command
    known = FLAG.findall(" ".join(OPTION.findall(help_of(module, tuple(arguments)))))
    given = {word.partition("=")[0] for word in arguments if FLAG.fullmatch(word.partition("=")[0])}
    assert given <= set(known)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for first, second in LINK.findall(path.read_text(encoding="utf-8")):
        place, _, anchor = (first or second).partition("#")
        if place.startswith(("http://", "https://")):
            continue
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), place
        assert not anchor or anchor in anchors_of(target), f"{place}#{anchor}"


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_named_modules_exist(path):
    for name in FILE.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / name).is_file() or (ROOT / name).is_file(), name


def test_readme_files_are_found():
    assert len(READMES) > 1 and len(commands()) > 1
