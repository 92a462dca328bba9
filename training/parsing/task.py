"""The task of parsers: a class for every pixel of a photo of people."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

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
        settings, machine = _fit_settings(args, run), read_fields(LightningMachine, args)
        from training.parsing.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        settings = read_fields(ParserEvaluateSettings, args)
        from training.parsing.evaluate import evaluate

        return evaluate(settings)

    def export(self, args: Namespace) -> str:
        from training.parsing.fit import export

        return export(read_fields(ExportSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        return average_runs(settings, run)


def _fit_settings(args: Namespace, run: Run) -> ParserFitSettings:
    if run.resumed:
        return resumed_settings(run, ParserFitSettings, args)
    recipe = read_fields(PARSERS[args.model], args)
    return read_fields(ParserFitSettings, args, recipe=recipe)
