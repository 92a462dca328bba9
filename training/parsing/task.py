"""The task of parsers: a class for every pixel of a photo of people."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from preprocessing.errors import UsageError
from preprocessing.flags import add_fields, read_fields
from training.common.runs import Run, resumed_settings
from training.common.settings import AverageSettings, ExportSettings, LightningMachine
from training.parsing.settings import PARSERS, ParserEvaluateSettings, ParserFitSettings


class ParsingTask:
    """See `Task`."""

    name = ParserFitSettings.task
    title = "parsers"
    recipes = PARSERS
    checkpoint = "last.ckpt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        settings = {
            "fit": ParserFitSettings,
            "evaluate": ParserEvaluateSettings,
            "export": ExportSettings,
        }
        add_fields(arguments, settings[command], text=text)
        if command == "fit":
            for source in (PARSERS[given.get("model", "parser")], LightningMachine):
                add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings = (
            resumed_settings(run, ParserFitSettings, args) if run.resumed else _new_settings(args)
        )
        machine = read_fields(LightningMachine, args)
        from training.parsing.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        _require_data(args, f"{args.model} is a parser")
        from training.parsing.evaluate import evaluate

        return evaluate(read_fields(ParserEvaluateSettings, args))

    def export(self, args: Namespace) -> str:
        from training.parsing.fit import export

        return export(read_fields(ExportSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        average_runs(settings, run)
        return f"averaged {settings.first} and {settings.second}"


def _new_settings(args: Namespace) -> ParserFitSettings:
    _require_data(args, f"--model {args.model} learns from photos with masks")
    return read_fields(ParserFitSettings, args, recipe=read_fields(PARSERS[args.model], args))


def _require_data(args: Namespace, reason: str) -> None:
    if "data" not in args:
        raise UsageError(f"{reason}: give --data DIR with photos/, masks/ and labels.csv")
