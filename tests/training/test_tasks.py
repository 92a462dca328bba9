"""The table of tasks: every row keeps the contract, and the commands' help is its task's own."""

import subprocess
import sys

import make
import pytest

from preprocessing.errors import UsageError
from training import average, compare, compress, evaluate, export, fit, predict, profile
from training.common.settings import Recipe
from training.inference.weights import ROLES
from training.tasks import TASKS, TaskArguments, task_of_recipe

COMMANDS = {"average": average, "compare": compare, "compress": compress, "evaluate": evaluate,
            "export": export, "fit": fit, "predict": predict, "profile": profile}  # fmt: skip
ALL_RECIPES = [(task, name) for task in TASKS.values() for name in task.recipes]


def help_of(command, *argv, capsys):
    with pytest.raises(SystemExit) as ended:
        COMMANDS[command].main([*argv, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_task_is_one_that_weight_files_name():
    assert TASKS.keys() == ROLES.keys()
    assert all(name == task.name for name, task in TASKS.items())


@pytest.mark.parametrize(("task", "name"), ALL_RECIPES, ids=lambda value: str(value)[:20])
def test_recipes_belong_to_one_task(task, name):
    assert task_of_recipe(name) is task and isinstance(task.recipes[name], Recipe)


@pytest.mark.parametrize(("task", "name"), ALL_RECIPES, ids=lambda value: str(value)[:20])
def test_the_help_of_fit_has_the_recipe_s_own_defaults(task, name, capsys):
    text = " ".join(help_of("fit", "--model", name, capsys=capsys).split())
    recipe = task.recipes[name]
    assert f"passes over the training images (default {recipe.epochs})" in text
    assert f"highest learning rate (default {recipe.lr:g})" in text
    assert task.title in text


@pytest.mark.parametrize("command", COMMANDS)
def test_general_help(command, capsys):
    text = help_of(command, capsys=capsys)
    assert "usage:" in text
    if command in ("fit", "evaluate"):
        assert all(name in text for _, name in ALL_RECIPES) and "exit status" in text


@pytest.mark.parametrize("command", ["fit --model photo", "evaluate --model deep", "profile"])
def test_help_needs_no_torch(command):
    name, *argv = command.split()
    code = (
        f"import sys, training.{name} as command\n"
        f"try: command.main({[*argv, '--help']!r})\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'ultralytics', 'matplotlib'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=make.ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


@pytest.mark.parametrize(
    ("command", "argv", "reason"),
    [
        ("fit", ["--model", "deep", "--epoch", "3"], "did you mean `--epochs`?"),
        ("fit", ["--model", "deep", "--table", "x"], "--table is for models of attributes"),
        ("fit", ["--model", "dep"], "did you mean deep?"),
        ("fit", [], "give --model"),
        ("evaluate", [], "required: --model"),
        ("evaluate", ["--model", "deep", "--namer", "photo"], "--namer is for detectors"),
        ("predict", ["--model", "deep"], "not for classifiers"),
        ("compress", ["--model", "yolo", "--to", "int8"], "not for detectors"),
        ("profile", ["--model", "deep", "--image-size", "4"], "must be 8 or more"),
        ("export", ["absent"], "not a run folder"),
    ],
)
def test_wrong_flags_are_one_line(command, argv, reason, capsys):
    assert COMMANDS[command].main(argv) == 2
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "task", "argv", "field"),
    [
        ("fit", "classify", ["--hung", "0.1"], "occlusion"),
        ("evaluate", "detect", ["--model", "yolo", "--threshold", "0.3"], "detection_confidence"),
        ("evaluate", "detect", ["--model", "yolo", "--name-by", "photo"], "namer"),
        ("export", "detect", ["run", "--confidence", "0.3"], "detection_confidence"),
        ("predict", "attributes", ["--model", "a", "--input", "b", "-o", "c"], "out"),
    ],
)
def test_earlier_spellings_are_read_and_hidden(command, task, argv, field):
    arguments = TaskArguments(COMMANDS[command].COMMAND, TASKS[task], {})
    assert field in arguments.parse(argv)
    assert f"{argv[-2]} " not in arguments.format_help()


def test_an_unknown_recipe():
    with pytest.raises(UsageError, match="no such recipe or network"):
        task_of_recipe("nonsense")
