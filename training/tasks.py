"""The table of tasks, and the arguments of the commands that dispatch by it. Imports no torch.

A command reads its arguments twice: first as text, to find the task, then with that task's flags.
"""

import argparse
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from preprocessing.errors import UsageError
from preprocessing.flags import Arguments, add_fields
from training.attributes.task import AttributePrediction
from training.classification.task import Classification
from training.common.run_folder import read_raw_config
from training.common.task import CompressTask, PredictTask, Task
from training.deepfashion.task import DeepFashion
from training.detection.task import Detection
from training.models.names import NETWORKS
from training.parsing.task import Parsing

TASKS: dict[str, Task] = {
    "classify": Classification(),
    "detect": Detection(),
    "parse": Parsing(),
    "attributes": AttributePrediction(),
    "deepfashion": DeepFashion(),
}
NETWORK_TASK = "classify"  # trains a bare network, which no recipe names
PARTIAL = {"predict": PredictTask, "compress": CompressTask}  # commands that not all tasks have
EXIT_STATUS = ("exit status: 0 done, 2 wrong flag, 5 output cannot be written, 6 weights,\n"
               "7 device, 8 data set, 130 interrupted")  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One of the commands, for its help.

    Attributes:
        name: as in `Task.add_flags`.
        usage: its necessary arguments.
        examples: for the help that lists all tasks.
    """

    name: str
    description: str
    usage: str
    examples: str = ""

    @property
    def tasks(self) -> list[Task]:
        """The tasks that have the command."""
        kind = PARTIAL.get(self.name)
        return [task for task in TASKS.values() if kind is None or isinstance(task, kind)]


class CommandArguments(Arguments):
    """The arguments of a command, by its module's name in training/."""

    def __init__(self, name: str, description: str, usage: str, *, epilog: str):
        prog = f"python -m training.{name}"
        super().__init__(
            prog=prog, description=description, usage=f"{prog} {usage} [flags]", epilog=epilog
        )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message.removeprefix('argument ')} (flags: {self.prog} --help)")


class TaskArguments(CommandArguments):
    """The arguments of a command for one task, or for none yet.

    Args:
        task: None for the help that lists all tasks.
        given: see `first_reading`.
    """

    def __init__(self, command: Command, task: Task | None, given: Mapping[str, str]):
        description, epilog = command.description, EXIT_STATUS
        if task is None:
            epilog = f"{_tasks_text(command)}\n\n{command.examples}\n\n{EXIT_STATUS}"
        else:
            description += f"\nThese are the flags for {task.title}."
        super().__init__(command.name, description, command.usage, epilog=epilog)
        self._command, self._task = command, task
        if task is not None:
            task.add_flags(command.name, self, given, text=False)

    def _unknown(self, flag: str) -> str:
        tasks = [task for task in self._command.tasks if task is not self._task]
        others = [task.title for task in tasks if flag in _spellings(self._command, task)]
        if self._task is not None and others:
            return f"{flag} is for {' and '.join(others)}, not for {self._task.title}"
        return super()._unknown(flag)


def _tasks_text(command: Command) -> str:
    """The tasks of a command with their recipes, for its help."""
    width = max(len(task.title) for task in command.tasks)
    lines = [f"  {task.title:{width}s}  {', '.join(task.recipes)}" for task in command.tasks]
    if command.name == "fit":
        lines.append(f"  {'networks':{width}s}  {', '.join(NETWORKS)}, as classifiers")
    return "\n".join(["tasks and their recipes:", *lines])


class _FirstReading(argparse.ArgumentParser):
    """All flags of a command, of whatever task, as text."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix("argument "))


def _spellings(command: Command, task: Task) -> Iterator[str]:
    arguments = _FirstReading(add_help=False)
    task.add_flags(command.name, arguments, {}, text=True)
    return iter(arguments._option_string_actions)


def first_reading(
    command: Command, argv: Sequence[str], *, flags: Sequence[type] = ()
) -> dict[str, str]:
    """The flags of a command as text, by the names of their fields.

    Args:
        flags: dataclasses of further flags that the command itself has.
    """
    arguments = _FirstReading(add_help=False, allow_abbrev=False)
    for source in flags:
        add_fields(arguments, source, text=True)
    for task in command.tasks:
        task.add_flags(command.name, arguments, {}, text=True)
    return vars(arguments.parse_known_args(argv)[0])


def task_of_recipe(model: str) -> Task:
    """The task of a recipe, or of a network's name.

    Raises:
        UsageError: there is no such recipe or network.
    """
    for task in TASKS.values():
        if model in task.recipes:
            return task
    if model in NETWORKS:
        return TASKS[NETWORK_TASK]
    known = [*(name for task in TASKS.values() for name in task.recipes), *NETWORKS]
    nearest = difflib.get_close_matches(model, known, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise UsageError(f"--model {model}: no such recipe or network, have "
                     f"{', '.join(dict.fromkeys(known))}{hint}")  # fmt: skip


def task_of_run(folder: Path) -> Task:
    """The task of a run folder.

    Raises:
        UsageError: it is no run folder.
    """
    config = read_raw_config(folder)
    if config.get("task") in TASKS:
        return TASKS[config["task"]]
    return task_of_recipe(str(config.get("model")))
