"""The task of classifiers: one label for each image, of Fashion-MNIST or of photos."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from preprocessing.flags import add_fields, read_fields
from training.classification.recipes import CLASSIFIERS, recipe_for
from training.classification.settings import (
    FIT_FLAGS,
    ClassifierEvaluateSettings,
    ClassifierExportSettings,
    ClassifierFitSettings,
    CompressSettings,
    fit_settings,
)
from training.common.runs import Run
from training.common.settings import AverageSettings, DistributedMachine


class ClassificationTask:
    """See `Task`."""

    name = ClassifierFitSettings.task
    title = "classifiers"
    recipes = CLASSIFIERS
    checkpoint = "last.ckpt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        recipe = recipe_for(given.get("model", "deep"), photos="data" in given)
        sources = {
            "fit": (*FIT_FLAGS, recipe),
            "evaluate": (ClassifierEvaluateSettings,),
            "export": (ClassifierExportSettings,),
            "compress": (CompressSettings,),
        }
        for source in sources[command]:
            add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings = fit_settings(args, run)
        machine = read_fields(DistributedMachine, args)
        from training.classification.fit import ClassifierTraining
        from training.common.fit_loop import fit

        return fit(settings, machine, run, ClassifierTraining(settings, run))

    def evaluate(self, args: Namespace) -> str:
        from training.classification.evaluate import evaluate

        return evaluate(read_fields(ClassifierEvaluateSettings, args))

    def export(self, args: Namespace) -> str:
        from training.classification.export import export

        return export(read_fields(ClassifierExportSettings, args))

    def compress(self, args: Namespace) -> str:
        from training.classification.export import compress

        return compress(read_fields(CompressSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.classification.evaluate import evaluate_run
        from training.common.checkpoints import average_runs

        average_runs(settings, run)
        return evaluate_run(run.folder)
