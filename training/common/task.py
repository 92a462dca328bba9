"""The contract between the commands and the tasks' folders. Imports no torch."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from training.common.runs import Run
from training.common.settings import AverageSettings, Recipe


class Task(Protocol):
    """A kind of network: its recipes, and what each command does with it.

    A task's task.py imports nothing heavy: each method turns the flags into frozen settings, and
    imports the function that they are for.
    """

    @property
    def name(self) -> str:
        """The key of TASKS, which weight files carry."""

    @property
    def title(self) -> str:
        """Its networks in the plural, for people."""

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """The named recipes."""

    @property
    def checkpoint(self) -> str:
        """Path in a run folder of the checkpoint that a resumed run starts from."""

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        """Add the flags of a command.

        Args:
            command: "fit", "evaluate", "export", "predict" or "compress".
            given: the command's flags as text, which may decide about defaults; empty for none.
            text: see `preprocessing.flags.add_fields`.
        """

    def fit(self, args: Namespace, run: Run) -> str | None:
        """Train into a run folder, evaluate, enter the run index: the text; None after Ctrl-C."""

    def evaluate(self, args: Namespace) -> str:
        """Evaluate a model and write its report: the text to print."""

    def export(self, args: Namespace) -> str:
        """Publish the best network of a run: the text to print."""

    def average(self, settings: AverageSettings, run: Run) -> str:
        """Average two runs into a new one: the text to print."""


@runtime_checkable
class PredictTask(Protocol):
    """A task whose networks label pictures."""

    def predict(self, args: Namespace) -> str:
        """Write the predictions for pictures; the text to print."""


@runtime_checkable
class CompressTask(Protocol):
    """A task whose networks can be compressed."""

    def compress(self, args: Namespace) -> str:
        """Publish a smaller or faster version of a model; the text to print."""
