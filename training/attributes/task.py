"""The task of models of attributes: a class for each column of a table, some of them missing."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

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
        settings, machine = _fit_settings(args, run), read_fields(LightningMachine, args)
        from training.attributes.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        settings = read_fields(AttributeEvaluateSettings, args)
        from training.attributes.evaluate import evaluate

        return evaluate(settings)

    def export(self, args: Namespace) -> str:
        from training.attributes.fit import export

        return export(read_fields(ExportSettings, args))

    def predict(self, args: Namespace) -> str:
        settings = read_fields(AttributePredictSettings, args)
        from training.attributes.predict import predict

        return predict(settings)

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        return average_runs(settings, run)


def _fit_settings(args: Namespace, run: Run) -> AttributeFitSettings:
    if run.resumed:
        return resumed_settings(run, AttributeFitSettings, args)
    recipe = chosen_recipe(ATTRIBUTE_MODELS[args.model], args)
    return read_fields(AttributeFitSettings, args, recipe=recipe)
