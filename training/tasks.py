"""The table of tasks, and the course of the commands that dispatch by it. Imports no torch.

A command reads its arguments twice: first as text, to find the task, then with that task's flags.
"""

import argparse
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from preprocessing.errors import UsageError, exit_status
from preprocessing.flags import Arguments, Dataclass, add_fields, read_fields
from training.attributes.task import AttributePredictionTask
from training.classification.task import ClassificationTask
from training.common.runs import CONFIG, RunFlags, read_raw_config, resumed_folder
from training.common.settings import (
    EvaluateSettings,
    ExportSettings,
    FitSettings,
    Machine,
    PredictSettings,
)
from training.common.task import CompressTask, PredictTask, Task
from training.deepfashion.task import DeepFashionTask
from training.detection.task import DetectionTask
from training.inference import weights
from training.models.names import NETWORKS
from training.parsing.task import ParsingTask

TASKS: dict[str, Task] = {
    "classify": ClassificationTask(),
    "detect": DetectionTask(),
    "parse": ParsingTask(),
    "attributes": AttributePredictionTask(),
    "deepfashion": DeepFashionTask(),
}
NETWORK_TASK = "classify"  # trains a bare network, which no recipe names
PARTIAL = {"predict": PredictTask, "compress": CompressTask}  # commands that not all tasks have
# Flags of a command that do not depend on the task: for its general help.
GENERAL: dict[str, tuple[type[Dataclass], ...]] = {
    "fit": (FitSettings, RunFlags, Machine),
    "evaluate": (EvaluateSettings,),
    "export": (ExportSettings,),
    "predict": (PredictSettings,),
}
INTERRUPTED = 130
EXIT_STATUS = """\
exit status: 0 done, 2 wrong flag, 5 output cannot be written, 6 weights, 7 device, 8 data set,
130 interrupted"""

D = TypeVar("D", bound=Dataclass)


@dataclass(frozen=True)
class Command:
    """One of the commands, for its help.

    Attributes:
        name: its module in training/, as in `Task.add_flags`.
        usage: its necessary arguments.
        examples: for the help that lists all tasks.
    """

    name: str
    description: str
    usage: str
    examples: str

    @property
    def tasks(self) -> list[Task]:
        """The tasks that have the command."""
        kind = PARTIAL.get(self.name)
        return [task for task in TASKS.values() if kind is None or isinstance(task, kind)]


def run_command(
    command: Command,
    argv: Sequence[str],
    *,
    choose: Callable[[Mapping[str, str]], Task | None],
    run: Callable[[Task, argparse.Namespace], str | None],
) -> int:
    """Find the task of a command, read the task's flags, and run it: the exit status.

    Args:
        choose: the task, from the flags as text by the names of their fields; None for none.
        run: returns the text to print; None if it was interrupted.
    """

    def task_and_run() -> int:
        given = first_reading(command, argv)
        task = choose(given)
        if task is not None and task not in command.tasks:
            able = " and ".join(other.title for other in command.tasks)
            raise UsageError(f"training.{command.name} is for {able}, not for {task.title}")
        arguments = TaskArguments(command, task, given)
        if task is None:
            arguments.parse(argv)
            raise UsageError(f"give {command.usage}; see {arguments.prog} --help")
        return _shown(run(task, arguments.parse(argv)))

    return exit_status(task_and_run)


def run_plain(
    name: str,
    argv: Sequence[str],
    *,
    settings: type[D],
    run: Callable[[D], str],
    description: str,
    usage: str,
    examples: str,
) -> int:
    """Run a command whose flags are the same for all tasks: the exit status."""

    def read_and_run() -> int:
        arguments = CommandArguments(
            name, description, usage, epilog=f"{examples}\n\n{EXIT_STATUS}"
        )
        add_fields(arguments, settings)
        return _shown(run(read_fields(settings, arguments.parse(argv))))

    return exit_status(read_and_run)


def _shown(text: str | None) -> int:
    """Print a command's text: the exit status."""
    if text is None:
        return INTERRUPTED
    print(text)
    return 0


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
        for source in GENERAL.get(command.name, ()):
            if task is None or source is RunFlags:
                add_fields(self, source)

    def _unknown(self, flag: str) -> str:
        tasks = [task for task in self._command.tasks if task is not self._task]
        others = [task.title for task in tasks if flag in _spellings(self._command, task)]
        if self._task is not None and others:
            return f"{flag} is for {' and '.join(others)}, not for {self._task.title}"
        return super()._unknown(flag)


def _tasks_text(command: Command) -> str:
    """The tasks of a command with their recipes, for its help."""
    rows = [(task.title, ", ".join(task.recipes)) for task in command.tasks]
    if command.name == "fit":
        rows.append(("networks", f"{', '.join(NETWORKS)}, as {TASKS[NETWORK_TASK].title}"))
    width = max(len(title) for title, _ in rows)
    return "\n".join(["tasks and their recipes:", *(f"  {t:{width}s}  {r}" for t, r in rows)])


class _FirstReading(argparse.ArgumentParser):
    """All flags of a command, of whatever task, as text."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix("argument "))


def _spellings(command: Command, task: Task) -> set[str]:
    arguments = _FirstReading(add_help=False)
    task.add_flags(command.name, arguments, {}, text=True)
    return set(arguments._option_string_actions)


def first_reading(command: Command, argv: Sequence[str]) -> dict[str, str]:
    """The flags of a command as text, by the names of their fields."""
    arguments = _FirstReading(add_help=False, allow_abbrev=False)
    for task in command.tasks:
        task.add_flags(command.name, arguments, {}, text=True)
    for source in GENERAL.get(command.name, ()):
        add_fields(arguments, source, text=True)
    found = vars(arguments.parse_known_args(argv)[0])
    return {name: value for name, value in found.items() if value is not None}


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


def task_to_fit(given: Mapping[str, str]) -> Task | None:
    """The task of --resume, --refit or --model.

    Raises:
        UsageError: there is no such run, recipe or network.
    """
    if "resume" in given:
        return task_of_run(resumed_folder(given["resume"], given.get("model")))
    if "refit" in given:
        return task_of_run(Path(given["refit"]))
    return task_of_recipe(given["model"]) if "model" in given else None


def task_to_export(given: Mapping[str, str]) -> Task | None:
    """The task of the run folder that is given.

    Raises:
        UsageError: it is no run folder.
    """
    return task_of_run(Path(given["run"])) if "run" in given else None


def task_of_model(given: Mapping[str, str]) -> Task | None:
    """The task of --model, a committed model's name, a weight file or a run folder.

    Raises:
        WeightsError, UsageError: there is no such model.
    """
    if "model" not in given:
        return None
    if (Path(given["model"]) / CONFIG).is_file():
        return task_of_run(Path(given["model"]))
    return TASKS[weights.locate(given["model"])[1].task]
