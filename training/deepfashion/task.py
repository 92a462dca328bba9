"""The task of DeepFashion networks: category, attributes, box and landmarks of a garment."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from preprocessing.flags import add_fields, read_fields
from training.common.runs import Run, resumed_settings
from training.common.settings import (
    AverageSettings,
    ExportSettings,
    LightningMachine,
    chosen_recipe,
)
from training.deepfashion.settings import (
    FASHION_MODELS,
    FashionEvaluateSettings,
    FashionFitSettings,
    FashionPredictSettings,
)


class DeepFashionTask:
    """See `Task`."""

    name = FashionFitSettings.task
    title = "DeepFashion networks"
    recipes = FASHION_MODELS
    checkpoint = "last.ckpt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        settings = {
            "fit": FashionFitSettings,
            "evaluate": FashionEvaluateSettings,
            "export": ExportSettings,
            "predict": FashionPredictSettings,
        }
        add_fields(arguments, settings[command], text=text)
        if command == "fit":
            recipe = FASHION_MODELS[given.get("model", "deepfashion")]
            for source in (recipe, LightningMachine):
                add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings, machine = _fit_settings(args, run), read_fields(LightningMachine, args)
        from training.deepfashion.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        settings = read_fields(FashionEvaluateSettings, args)
        from training.deepfashion.evaluate import evaluate

        return evaluate(settings)

    def export(self, args: Namespace) -> str:
        from training.deepfashion.fit import export

        return export(read_fields(ExportSettings, args))

    def predict(self, args: Namespace) -> str:
        settings = read_fields(FashionPredictSettings, args)
        from training.deepfashion.predict import predict

        return predict(settings)

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        return average_runs(settings, run)


def _fit_settings(args: Namespace, run: Run) -> FashionFitSettings:
    if run.resumed:
        return resumed_settings(run, FashionFitSettings, args)
    recipe = chosen_recipe(FASHION_MODELS[args.model], args)
    return read_fields(FashionFitSettings, args, recipe=recipe)
