"""The committed models as a table: what `--list-models` prints."""

from training.inference.weights import ROLES, WeightsInfo, locate, read_manifest

# What tells best how good a model of a task is, in the order of preference.
FIGURES = {
    "classify": (("accuracy", "accuracy"),),
    "detect": (("map50", "mAP50"),),
    "parse": (("mean_iou", "mean IoU"),),
    "attributes": (("macro_f1", "macro-F1"),),
}
PARTS = ("test", "before the refit", "validation")  # that a figure was measured on


def table() -> str:
    """A line a model: name, what it is, classes, input, parameters, size of its file, and figure.

    Raises:
        WeightsError: the manifest or a file is damaged.
    """
    rows = [("model", "what", "classes", "pixels", "parameters", "MB", "figure")]
    for name in sorted(read_manifest()):
        stem, info = locate(name)
        path, count = stem.with_suffix(".onnx"), info.metrics.get("parameters")
        rows.append((
            name, ROLES[info.task][0], str(len(info.classes)), str(info.size),
            f"{count / 1e6:.2f} M" if count else "",
            f"{path.stat().st_size / 1e6:.1f}" if path.is_file() else "missing", _figure(info),
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _figure(info: WeightsInfo) -> str:
    for part in PARTS:
        figures = info.metrics.get(part, {})
        for key, title in FIGURES.get(info.task, ()):
            if key in figures:
                return f"{title} {figures[key]:.3f} on {part}"
    return ""
