"""The task of detectors: boxes with classes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import replace

from preprocessing.flags import add_fields, read_fields
from training.common.runs import Run, resumed_settings
from training.common.settings import AverageSettings, Machine
from training.detection.settings import (
    DETECTORS,
    DetectorEvaluateSettings,
    DetectorExportSettings,
    DetectorFitSettings,
)


class DetectionTask:
    """See `Task`."""

    name = DetectorFitSettings.task
    title = "detectors"
    recipes = DETECTORS
    checkpoint = "weights/last.pt"

    def add_flags(
        self, command: str, arguments: ArgumentParser, given: Mapping[str, str], *, text: bool
    ) -> None:
        settings = {
            "fit": DetectorFitSettings,
            "evaluate": DetectorEvaluateSettings,
            "export": DetectorExportSettings,
        }
        add_fields(arguments, settings[command], text=text)
        if command == "fit":
            for source in (DETECTORS[given.get("model", "yolo")], Machine):
                add_fields(arguments, source, text=text)

    def fit(self, args: Namespace, run: Run) -> str | None:
        settings, machine = _fit_settings(args, run), read_fields(Machine, args)
        from training.detection.fit import fit

        return fit(settings, machine, run)

    def evaluate(self, args: Namespace) -> str:
        settings = read_fields(DetectorEvaluateSettings, args)
        from training.detection.evaluate import evaluate

        return evaluate(settings)

    def export(self, args: Namespace) -> str:
        from training.detection.fit import export

        return export(read_fields(DetectorExportSettings, args))

    def average(self, settings: AverageSettings, run: Run) -> str:
        from training.common.checkpoints import average_states, copy_config
        from training.detection import yolo

        averaged = average_states(settings, yolo.read_state)
        yolo.write_best(run.folder, settings.second, averaged)
        copy_config(settings.second, run)
        return f"averaged {settings.first} and {settings.second}"


def _fit_settings(args: Namespace, run: Run) -> DetectorFitSettings:
    if run.resumed:
        return resumed_settings(run, DetectorFitSettings, args)
    recipe = read_fields(DETECTORS[args.model], args)
    if "size" in args:
        recipe = replace(recipe, smaller=())
    return read_fields(DetectorFitSettings, args, recipe=recipe)
