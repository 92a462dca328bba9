"""The task of classifiers: one label for each image, of Fashion-MNIST or of photos."""

import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from preprocessing.datasets.splits import Rules
from preprocessing.errors import UsageError
from preprocessing.flags import add_fields, flag_fields, read_fields
from training.classification.recipes import CLASSIFIERS, ClassifierRecipe, recipe_for
from training.classification.settings import (
    ClassifierEvaluateSettings,
    ClassifierExportSettings,
    CompressSettings,
    FitSettings,
)
from training.common.runs import (
    DATA,
    REPORT,
    Run,
    is_main_process,
    read_config,
    resumed_settings,
)
from training.common.settings import AverageSettings, DistributedMachine, chosen_recipe


class Classification:
    """See `Task`."""

    name = FitSettings.task
    title = "classifiers"
    recipes = CLASSIFIERS
    checkpoint = "last.ckpt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        settings = {
            "fit": FitSettings,
            "evaluate": ClassifierEvaluateSettings,
            "export": ClassifierExportSettings,
            "compress": CompressSettings,
        }
        add_fields(arguments, settings[command], text=text)
        if command == "fit":
            recipe = recipe_for(given.get("model", "deep"), photos="data" in given)
            for source in (Rules, recipe, DistributedMachine):
                add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings = _fit_settings(args, run)
        machine = read_fields(DistributedMachine, args)
        if machine.devices * machine.nodes > 1 and not run.resumed and "out" not in args:
            raise UsageError("several processes need one folder: give --out")
        from training.classification.fit import ClassifierTraining
        from training.common.fitting import fit

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


def _fit_settings(args: Namespace, run: Run) -> FitSettings:
    if run.resumed:
        return resumed_settings(run, FitSettings, args)
    if "refit" in args:
        return _refit_settings(args, run)
    recipe = chosen_recipe(recipe_for(args.model, photos="data" in args), args)
    settings = read_fields(FitSettings, args, recipe=recipe)
    return replace(settings, rules=read_fields(Rules, args, seed=settings.seed))


def _refit_settings(args: Namespace, run: Run) -> FitSettings:
    """The settings of the run that --refit names; its index of photos is copied.

    Raises:
        UsageError: that run did not learn from photos, is not finished, or flags change its recipe.
    """
    source: Path = args.refit
    if not (source / DATA).is_dir() or not (source / REPORT).is_file():
        raise UsageError(f"--refit {source}: not a finished run on photos")
    if "out" not in args or "data" in args:
        raise UsageError("--refit needs --out and takes its data from the run")
    changing = {one.field for one in flag_fields(ClassifierRecipe)} | {
        "model", "init", "freeze_backbone", "seed"
    }  # fmt: skip
    if changing & vars(args).keys():
        raise UsageError("--refit repeats a recipe: it takes no flag that changes it")
    if is_main_process():
        shutil.copytree(source / DATA, run.folder / DATA, dirs_exist_ok=True)
    settings = read_config(source, FitSettings).settings
    rules = read_fields(settings.rules, args)
    return replace(settings, refit=source, data=None, photos=None, init=None, rules=rules)
