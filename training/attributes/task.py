"""The task of models of attributes: a class for each column of a table, some of them missing."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from preprocessing.errors import UsageError
from preprocessing.flags import add_fields, read_fields
from training.attributes.settings import (
    ATTRIBUTE_MODELS,
    AttributeEvaluateSettings,
    AttributeFitSettings,
    AttributePredictSettings,
)
from training.common.runs import Run, resumed_settings
from training.common.settings import (
    AverageSettings,
    ExportSettings,
    LightningMachine,
    chosen_recipe,
)


class AttributePredictionTask:
    """See `Task`."""

    name = AttributeFitSettings.task
    title = "models of attributes"
    recipes = ATTRIBUTE_MODELS
    checkpoint = "last.ckpt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        settings = {
            "fit": AttributeFitSettings,
            "evaluate": AttributeEvaluateSettings,
            "export": ExportSettings,
            "predict": AttributePredictSettings,
        }
        add_fields(arguments, settings[command], text=text)
        if command == "fit":
            recipe = ATTRIBUTE_MODELS[given.get("model", "attributes")]
            for source in (recipe, LightningMachine):
                add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings = (
            resumed_settings(run, AttributeFitSettings, args)
            if run.resumed
            else _new_settings(args)
        )
        machine = read_fields(LightningMachine, args)
        from training.attributes.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        _require_table(args, f"{args.model} predicts attributes")
        from training.attributes.evaluate import evaluate

        return evaluate(read_fields(AttributeEvaluateSettings, args))

    def export(self, args: Namespace) -> str:
        from training.attributes.fit import export

        return export(read_fields(ExportSettings, args))

    def predict(self, args: Namespace) -> str:
        from training.attributes.predict import predict

        return predict(read_fields(AttributePredictSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        average_runs(settings, run)
        return f"averaged {settings.first} and {settings.second}"


def _new_settings(args: Namespace) -> AttributeFitSettings:
    _require_table(args, f"--model {args.model} learns from a table and its pictures")
    recipe = chosen_recipe(ATTRIBUTE_MODELS[args.model], args)
    return read_fields(AttributeFitSettings, args, recipe=recipe)


def _require_table(args: Namespace, reason: str) -> None:
    if "table" not in args or "images" not in args:
        raise UsageError(f"{reason}: give --table CSV and --images DIR")
