"""The task of DeepFashion networks: category, attributes, box and landmarks of a garment."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from preprocessing.errors import UsageError
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
        settings = (
            resumed_settings(run, FashionFitSettings, args) if run.resumed else _new_settings(args)
        )
        machine = read_fields(LightningMachine, args)
        from training.deepfashion.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        _require_data(args, f"{args.model} is a DeepFashion network")
        from training.deepfashion.evaluate import evaluate

        return evaluate(read_fields(FashionEvaluateSettings, args))

    def export(self, args: Namespace) -> str:
        from training.deepfashion.fit import export

        return export(read_fields(ExportSettings, args))

    def predict(self, args: Namespace) -> str:
        from training.deepfashion.predict import predict

        return predict(read_fields(FashionPredictSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_runs

        average_runs(settings, run)
        return f"averaged {settings.first} and {settings.second}"


def _new_settings(args: Namespace) -> FashionFitSettings:
    _require_data(args, f"--model {args.model} learns from DeepFashion")
    recipe = chosen_recipe(FASHION_MODELS[args.model], args)
    return read_fields(FashionFitSettings, args, recipe=recipe)


def _require_data(args: Namespace, reason: str) -> None:
    if "data" not in args:
        raise UsageError(f"{reason}: give --data DIR with its lists and img/")
